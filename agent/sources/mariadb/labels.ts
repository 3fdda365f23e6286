/** The labels of MariaDB; `mysql` means the same. */
import * as z from 'zod';
import {nonEmptyText} from '../../../base/reading/reader.ts';
import {readDatabaseNames, readDatabases, readDuration, readHost, readName, readPort} from '../../../base/reading/values.ts';
import type {Container} from '../../../docker/container.ts';
import type {Given} from '../kind.ts';

export interface MariadbPolicy {
	databases: 'all' | readonly string[];
	user?: string | undefined;
	passwordSecret?: string | undefined;
	host?: string | undefined;
	port?: number | undefined;
	/** Databases that are left out where all are meant. */
	exclude: readonly string[];
	lockTimeoutMs?: number | undefined;
}

export const mariadbLabels = {
	mariadb: readDatabases,
	'mariadb.user': nonEmptyText,
	'mariadb.password-secret': readName,
	'mariadb.exclude': readDatabaseNames,
	'mariadb.host': readHost,
	'mariadb.port': readPort,
	'mariadb.lock-timeout': readDuration,
	mysql: readDatabases,
	'mysql.user': nonEmptyText,
	'mysql.password-secret': readName,
	'mysql.exclude': readDatabaseNames,
	'mysql.host': readHost,
	'mysql.port': readPort,
	'mysql.lock-timeout': readDuration,
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
				host: given['mariadb.host'] ?? given['mysql.host'],
				port: given['mariadb.port'] ?? given['mysql.port'],
				lockTimeoutMs: given['mariadb.lock-timeout'] ?? given['mysql.lock-timeout'],
			};
}

/** What labels say of who dumps, and where the server is. A schema, because the journal of restores has it. */
export const mariadbAccess = z.object({
	user: z.string().optional(),
	/** A file of the agent, named after the project too: a label reaches the secrets of its own project only. */
	secret: z.string().optional(),
	project: z.string().optional(),
	/** Absent: it is in the container. */
	host: z.string().optional(),
	port: z.number().optional(),
});

export type Access = z.infer<typeof mariadbAccess>;

const defaultPort = 3306;

export function accessOf(policy: MariadbPolicy | undefined, {project}: Pick<Container, 'project'>): Access {
	const {user, passwordSecret: secret, host, port} = policy ?? {};
	return {
		...(user === undefined ? {} : {user}),
		...(secret === undefined ? {} : {secret, project}),
		...(host === undefined ? {} : {host: host.replace(/^\[(.*)\]$/, '$1'), port: port ?? defaultPort}),
		...(host === undefined && port !== undefined ? {port} : {}),
	};
}

/** Completes "the server …". */
export const whereOf = ({host, port}: Access, {name}: Pick<Container, 'name'>): string =>
	host === undefined ? `in container \`${name}\`` : `at \`${host}:${port}\``;
