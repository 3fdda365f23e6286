/** The labels of MariaDB; `mysql` means the same. */
import {nonEmptyText} from '../../../base/reading/reader.ts';
import {readDatabaseNames, readDatabases, readName} from '../../../base/reading/values.ts';
import type {Container} from '../../../docker/container.ts';
import type {Given} from '../kind.ts';

export interface MariadbPolicy {
	databases: 'all' | readonly string[];
	user?: string | undefined;
	passwordSecret?: string | undefined;
	/** Databases that are left out where all are meant. */
	exclude: readonly string[];
}

export const mariadbLabels = {
	mariadb: readDatabases,
	'mariadb.user': nonEmptyText,
	'mariadb.password-secret': readName,
	'mariadb.exclude': readDatabaseNames,
	mysql: readDatabases,
	'mysql.user': nonEmptyText,
	'mysql.password-secret': readName,
	'mysql.exclude': readDatabaseNames,
};

export function mariadbPolicy(given: Given<typeof mariadbLabels>): MariadbPolicy | undefined {
	const databases = given.mariadb ?? given.mysql;
	return databases === undefined || databases === 'none'
		? undefined
		: {
				databases,
				user: given['mariadb.user'] ?? given['mysql.user'],
				passwordSecret: given['mariadb.password-secret'] ?? given['mysql.password-secret'],
				exclude: given['mariadb.exclude'] ?? given['mysql.exclude'] ?? [],
			};
}

/** What labels say of who dumps. */
export interface Access {
	user?: string | undefined;
	/** A file of the agent, named after the project too: a label reaches the secrets of its own project only. */
	secret?: string | undefined;
	project?: string | undefined;
}

export const accessOf = (policy: MariadbPolicy | undefined, {project}: Pick<Container, 'project'>): Access => ({
	...(policy?.user === undefined ? {} : {user: policy.user}),
	...(policy?.passwordSecret === undefined ? {} : {secret: policy.passwordSecret, project}),
});
