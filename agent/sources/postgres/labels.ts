/** The labels of Postgres. */
import {nonEmptyText} from '../../../base/reading/reader.ts';
import {readDatabaseNames, readDatabases, readDuration, readFormat, readHost, readName, readPort} from '../../../base/reading/values.ts';
import type {Given} from '../kind.ts';

export interface PostgresPolicy {
	databases: 'all' | readonly string[];
	user?: string | undefined;
	format: 'custom' | 'plain' | 'all';
	/** Databases that are left out where all are meant. */
	exclude: readonly string[];
	host?: string | undefined;
	port?: number | undefined;
	passwordSecret?: string | undefined;
	lockTimeoutMs?: number | undefined;
	restoreBeforeSql?: string | undefined;
	restoreAfterSql?: string | undefined;
}

export const postgresLabels = {
	postgres: readDatabases,
	'postgres.user': nonEmptyText,
	'postgres.format': readFormat,
	'postgres.exclude': readDatabaseNames,
	'postgres.host': readHost,
	'postgres.port': readPort,
	'postgres.password-secret': readName,
	'postgres.lock-timeout': readDuration,
	'postgres.restore.before-sql': nonEmptyText,
	'postgres.restore.after-sql': nonEmptyText,
};

export function postgresPolicy(given: Given<typeof postgresLabels>): PostgresPolicy | undefined {
	const {postgres: databases} = given;
	return databases === undefined || databases === 'none'
		? undefined
		: {
				databases,
				user: given['postgres.user'],
				format: given['postgres.format'] ?? 'custom',
				exclude: given['postgres.exclude'] ?? [],
				host: given['postgres.host'],
				port: given['postgres.port'],
				passwordSecret: given['postgres.password-secret'],
				lockTimeoutMs: given['postgres.lock-timeout'],
				restoreBeforeSql: given['postgres.restore.before-sql'],
				restoreAfterSql: given['postgres.restore.after-sql'],
			};
}
