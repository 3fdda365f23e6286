/** One database takes the place of another: both renames in one transaction, so that there is never none of that name. */
import {RunError} from '../../../base/errors.ts';
import {runSql} from './psql.ts';
import {type PostgresServer, quoteIdentifier, quoteLiteral} from './server.ts';

/** The database from which others are renamed and dropped: not the one that is renamed. */
export const maintenanceOf = (database: string): string => (database === 'postgres' ? 'template1' : 'postgres');

export interface DatabaseState {
	exists: boolean;
	/** Stays the same when it is renamed. */
	oid: string | null;
	allowsConnections: boolean;
}

export async function stateOf(server: PostgresServer, live: string, database: string): Promise<DatabaseState> {
	const sql = `select datallowconn, oid from pg_database where datname = ${quoteLiteral(database)}`;
	const rows = await server.query(maintenanceOf(live), sql);
	return {exists: rows.length > 0, oid: rows[0]?.[1] ?? null, allowsConnections: rows[0]?.[0] === 't'};
}

/** How long connections may take to end after they were told to. */
const endWithinSeconds = 20;

/**
 * Nobody gets in, superusers neither, and everybody is sent away; those who will not go in time make the rename fail. The name reaches the
 * block as a setting: no quoting of it could end the block.
 */
const closeSql = (database: string): string[] => [
	`alter database ${quoteIdentifier(database)} with allow_connections false`,
	`select set_config('holdfast.closing', ${quoteLiteral(database)}, false)`,
	`do $$
declare
	closing constant name := current_setting('holdfast.closing');
begin
	for attempt in 1..${endWithinSeconds * 20} loop
		perform pg_terminate_backend(pid) from pg_stat_activity where datname = closing and pid <> pg_backend_pid();
		perform pg_stat_clear_snapshot();
		exit when not exists (select from pg_stat_activity where datname = closing);
		perform pg_sleep(0.05);
	end loop;
end
$$`,
];

export const openSql = (database: string): string => `alter database ${quoteIdentifier(database)} with allow_connections true`;

const renameSql = (from: string, to: string): string => `alter database ${quoteIdentifier(from)} rename to ${quoteIdentifier(to)}`;

interface Swap {
	/** The name that applications use. */
	live: string;
	/** Gets that name. */
	next: string;
	/** The name that the present one gets; null where there is none. It stays closed: nobody writes to it, no backup takes it. */
	aside: string | null;
}

/** @throws when the renames did not happen: then the live database is as it was */
export async function swapDatabases(server: PostgresServer, {live, next, aside}: Swap): Promise<void> {
	const database = maintenanceOf(live);
	try {
		await runSql(server, {
			database,
			statements: [
				...(aside === null ? [] : closeSql(live)),
				...closeSql(next),
				'begin',
				...(aside === null ? [] : [renameSql(live, aside)]),
				renameSql(next, live),
				openSql(live),
				'commit',
			],
		});
	} catch (error) {
		throw new RunError(`database \`${live}\` could not be swapped`, {cause: error});
	}
}

/** No error when it is gone. */
export async function dropDatabase(server: PostgresServer, live: string, database: string): Promise<void> {
	const {exists} = await stateOf(server, live, database);
	if (exists) {
		await runSql(server, {
			database: maintenanceOf(live),
			statements: [...closeSql(database), `drop database ${quoteIdentifier(database)}`],
		});
	}
}
