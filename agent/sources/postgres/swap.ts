/** One database takes the place of another: both renames in one transaction, so that there is never none of that name. */
import {setTimeout as delay} from 'node:timers/promises';
import {explain, RunError} from '../../../base/errors.ts';
import {runSql} from './psql.ts';
import type {PostgresServer} from './server.ts';
import {quoteIdentifier, quoteLiteral} from './sql.ts';

export interface DatabaseState {
	exists: boolean;
	/** Stays the same when it is renamed. */
	oid: string | null;
	allowsConnections: boolean;
	isTemplate: boolean;
}

export async function stateOf(server: PostgresServer, live: string, database: string): Promise<DatabaseState> {
	const sql = `select datallowconn, oid, datistemplate from pg_database where datname = ${quoteLiteral(database)}`;
	const rows = await server.query(await server.maintenance(live), sql);
	return {exists: rows.length > 0, oid: rows[0]?.[1] ?? null, allowsConnections: rows[0]?.[0] === 't', isTemplate: rows[0]?.[2] === 't'};
}

/** How long connections may take to end after they were told to. */
const endWithinSeconds = 20;

/** Of `pg_stat_activity`: those who must go. Of workers without a user, which autovacuum's are, a role that is no superuser sees no more than that they are there. */
const othersSql = (database: string): string =>
	`datname = ${database} and pid <> pg_backend_pid() and (usesysid is not null or coalesce(backend_type, 'autovacuum worker') <> 'autovacuum worker')`;

/**
 * Nobody gets in, superusers neither, and everybody is sent away; those who will not go, or whom this role may not send, make it fail. Autovacuum
 * goes by itself when a database is renamed or dropped. The name reaches the block as a setting: no quoting of it could end the block.
 */
const closeSql = (database: string): string[] => [
	`alter database ${quoteIdentifier(database)} with allow_connections false`,
	`select set_config('holdfast.closing', ${quoteLiteral(database)}, false)`,
	`do $$
declare
	closing constant name := current_setting('holdfast.closing');
	who record;
	refused text;
begin
	for attempt in 1..${endWithinSeconds * 20} loop
		perform pg_stat_clear_snapshot();
		refused := null;
		for who in select * from pg_stat_activity where ${othersSql('closing')} loop
			begin
				perform pg_terminate_backend(who.pid);
			exception when insufficient_privilege then
				refused := format('session %s (user %s, application %s)', who.pid, who.usename, who.application_name);
			end;
		end loop;
		-- What may not be ended may end by itself, such as a question of an exporter.
		exit when refused is not null and attempt > ${2 * 20};
		perform pg_stat_clear_snapshot();
		exit when not exists (select from pg_stat_activity where ${othersSql('closing')});
		perform pg_sleep(0.05);
	end loop;
	if refused is not null then
		raise exception 'role % may not end %', current_user, refused;
	end if;
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

/** A restore waits for no lock of the server's own catalogs longer than this: applications stand still. */
const lockWithin = "set lock_timeout = '20s'";

/** @throws when the renames did not happen: then the live database is as it was, and open; or the error says that it is not */
export async function swapDatabases(server: PostgresServer, {live, next, aside}: Swap): Promise<void> {
	const database = await server.maintenance(live);
	try {
		await runSql(server, {
			database,
			statements: [
				lockWithin,
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
		const state = await reopen(server, database, live);
		throw new RunError(`database \`${live}\` could not be swapped; ${state}`, {cause: error});
	}
}

/** How long a server that just failed may take to answer again. */
const reopenWithinMs = 15_000;

/** Whoever could not swap a database must not leave it closed. @returns what is there, for people */
async function reopen(server: PostgresServer, database: string, live: string): Promise<string> {
	const deadline = Date.now() + reopenWithinMs;
	for (;;) {
		try {
			const signal = AbortSignal.timeout(reopenWithinMs);
			const [row] = await server.query(database, `select 1 from pg_database where datname = ${quoteLiteral(live)}`, signal);
			if (row === undefined) {
				return `there is no database \`${live}\` now`;
			}

			await runSql(server, {database, statements: [lockWithin, openSql(live)], signal});
			return 'it is open to connections, as it was';
		} catch (error) {
			if (Date.now() > deadline) {
				return `it may be closed to connections, because ${explain(error)}; to open it: ${openSql(live)}`;
			}
		}

		await delay(500);
	}
}

/** No error when it is gone. */
export async function dropDatabase(server: PostgresServer, live: string, database: string): Promise<void> {
	const {exists, isTemplate} = await stateOf(server, live, database);
	if (exists) {
		const maintenance = await server.maintenance(database);
		await dropSubscriptions(server, maintenance, database);
		await runSql(server, {
			database: maintenance,
			statements: [
				lockWithin,
				...closeSql(database),
				// No template is dropped.
				...(isTemplate ? [`alter database ${quoteIdentifier(database)} is_template false`] : []),
				`drop database ${quoteIdentifier(database)}`,
			],
		});
	}
}

/** A database that has one is not dropped. The slot that it names is that of the database it was dumped from: it is let be. */
async function dropSubscriptions(server: PostgresServer, maintenance: string, database: string): Promise<void> {
	const rows = await server.query(
		maintenance,
		`select to_json(subname) from pg_subscription s join pg_database d on d.oid = s.subdbid where datname = ${quoteLiteral(database)}`,
	);
	const statements = rows.flatMap(([name = '""']) => {
		const subscription = quoteIdentifier(JSON.parse(name) as string);
		return [
			`alter subscription ${subscription} disable`,
			`alter subscription ${subscription} set (slot_name = none)`,
			`drop subscription ${subscription}`,
		];
	});
	if (statements.length > 0) {
		await runSql(server, {database: maintenance, statements: [openSql(database)]});
		await runSql(server, {database, statements});
	}
}
