/** The labels of Postgres. */
import {nonEmptyText} from '../../../base/reading/reader.ts';
import {readDatabaseNames, readDatabases, readDuration, readFormat, readHost, readName, readPort} from '../../../base/reading/values.ts';
import type {ReadLabel} from '../../targets/labels.ts';

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

export function readPostgres(read: ReadLabel): PostgresPolicy | undefined {
	const databases = read('postgres', readDatabases);
	const rest = {
		user: read('postgres.user', nonEmptyText),
		format: read('postgres.format', readFormat) ?? 'custom',
		exclude: read('postgres.exclude', readDatabaseNames) ?? [],
		host: read('postgres.host', readHost),
		port: read('postgres.port', readPort),
		passwordSecret: read('postgres.password-secret', readName),
		lockTimeoutMs: read('postgres.lock-timeout', readDuration),
		restoreBeforeSql: read('postgres.restore.before-sql', nonEmptyText),
		restoreAfterSql: read('postgres.restore.after-sql', nonEmptyText),
	};
	return databases === undefined || databases === 'none' ? undefined : {databases, ...rest};
}
