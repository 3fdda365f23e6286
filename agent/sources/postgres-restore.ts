/**
 * A PostgreSQL database is loaded into a new one while the old one serves, and then takes its name. The old one is kept under another name,
 * closed to connections.
 */
import {createHash} from 'node:crypto';
import {createInterface} from 'node:readline';
import {pipeline} from 'node:stream/promises';
import {lastLines, type Running} from '../command.ts';
import {RunError} from '../errors.ts';
import {consumerScript, feed} from './feed.ts';
import {enterableWorker, postgresDetails} from './postgres.ts';
import {createDatabaseSql, type DatabaseProperties, databaseProperties, describeSql, propertiesSql} from './postgres-database.ts';
import {afterLoad, beforeLoad} from './postgres-extensions.ts';
import {missingRoles} from './postgres-roles.ts';
import {connectPostgres, type PostgresServer, quoteLiteral} from './postgres-server.ts';
import {dropDatabase, maintenanceOf, openSql, stateOf, swapDatabases} from './postgres-swap.ts';
import {createComplaints} from './postgres-tolerated.ts';
import {runSql} from './psql.ts';
import {bothEnds} from './relay.ts';
import type {Replacement, RestoreContext, Restoring, RestoringSource, UndoContext} from './restoring.ts';

type PostgresSource = RestoringSource & {kind: 'postgres'};
type ReplacedDatabase = Replacement & {kind: 'postgres'};

/** PostgreSQL cuts longer names off. */
const nameBytes = 63;

/** `<name>_<what>_<run>`; where that is too long, the name is cut and told from others by its hash. */
export function databaseName(name: string, what: 'restore' | 'before', run: string): string {
	const suffix = `_${what}_${run}`;
	if (Buffer.byteLength(name + suffix) <= nameBytes) {
		return name + suffix;
	}

	const hash = `~${createHash('sha256').update(name).digest('hex').slice(0, 4)}`;
	const characters = Array.from(name);
	while (Buffer.byteLength(characters.join('') + hash + suffix) > nameBytes) {
		characters.pop();
	}

	return characters.join('') + hash + suffix;
}

export function postgresRestoring(source: PostgresSource, context: RestoreContext, index: number): Restoring {
	const {name, container, database, user, stored, into} = source;
	const {engine, signal, run, tell} = context;
	const details = postgresDetails.parse(stored.details);
	const live = into ?? database;
	const maintenance = maintenanceOf(live);
	const fresh = databaseName(live, 'restore', run);
	const beside = into === undefined ? {} : {beside: true};
	let server: PostgresServer;
	let replacement: ReplacedDatabase = {kind: 'postgres', source: name, database: live, fresh, oid: null, old: null, user, ...beside};

	const sql = async (where: string, ...statements: string[]) => runSql(server, {database: where, statements, signal});
	const ownSql = async (statement: string | undefined) => {
		if (statement !== undefined) {
			const variables = {old_name: details.database, new_name: live};
			await runSql(server, {database: fresh, statements: [statement], variables, signal});
		}
	};

	return {
		name,
		async load() {
			server = await connectPostgres(engine, container, user, signal);
			await makeRoles(server, maintenance, details.globals, role => tell({type: 'warning', message: role}), signal);
			const present = await sql(maintenance, describeSql(`datname = ${quoteLiteral(database)}`));
			const properties: DatabaseProperties = databaseProperties.parse(present === '' ? stored.details : JSON.parse(present));
			replacement = {...replacement, old: present === '' || into !== undefined ? null : databaseName(database, 'before', run)};
			context.remember(replacement);
			await sql(maintenance, createDatabaseSql(fresh, properties));
			replacement = {...replacement, oid: (await stateOf(server, live, fresh)).oid};
			context.remember(replacement);
			await ownSql(source.beforeSql);
			await sql(fresh, ...beforeLoad(details.extensions));
			const tables = details.format === 'custom' ? await countTables(context, server, source) : undefined;
			await loadContent(context, server, {source, fresh, details, fifo: `${context.staging}/restore-${index}.fifo`});
			await sql(fresh, ...afterLoad(details.extensions));
			await ownSql(source.afterSql);
			await assertTables(server, {fresh, tables});
			await sql(fresh, 'analyze');
			await sql(maintenance, ...propertiesSql(fresh, properties));
		},
		async keep() {},
		async swap() {
			await swapDatabases(server, {live, next: fresh, aside: replacement.old});
		},
		async close() {},
	};
}

async function makeRoles(server: PostgresServer, database: string, globals: string, say: (message: string) => void, signal: AbortSignal) {
	const existing = await server.query(database, 'select to_json(rolname) from pg_roles');
	const statements = missingRoles(globals, new Set(existing.map(([role = '""']) => JSON.parse(role) as string)));
	if (statements.length > 0) {
		await runSql(server, {database, statements, signal});
		say(`made again, because the server lacks them: ${statements.filter(statement => statement.startsWith('CREATE')).join('; ')}`);
	}
}

interface Content {
	source: PostgresSource;
	fresh: string;
	details: ReturnType<typeof postgresDetails.parse>;
	fifo: string;
}

/** `sh -c SCRIPT sh PROGRAM …`: what it complains of comes as its output, which is read as it comes. */
const complaining = 'exec "$@" 2>&1';

/** The container's own program reads it, in the dump worker or, where there can be none, through docker exec. */
async function loadContent(context: RestoreContext, server: PostgresServer, {source, fresh, details, fifo}: Content): Promise<void> {
	const {container, database, stored} = source;
	const isCustom = details.format === 'custom';
	const program = isCustom
		? (['pg_restore', ...server.connection(fresh)] as const)
		: (['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', ...server.connection(fresh), '-f', '-'] as const);
	const argv = isCustom ? (['/bin/sh', '-c', complaining, 'sh', ...program] as const) : program;
	// What it complains of is read in English.
	const env: Record<string, string> = isCustom ? {LC_ALL: 'C'} : {};
	const check = async (running: Running) => {
		try {
			await (isCustom ? assertTolerable(running, {source: source.name, extensions: details.extensions, context}) : assertDone(running));
		} catch (error) {
			throw new RunError(`${program[0]} of \`${database}\` failed`, {cause: error});
		}
	};

	const worker = await enterableWorker(context, server, container, context.signal);
	if (worker === undefined) {
		const started = Promise.withResolvers<Running>();
		await bothEnds(context.signal, {
			async write(signal) {
				const dumping = await context.restic.dump(stored.snapshot, stored.path, signal);
				await pipeline(dumping.stdout, (await started.promise).stdin, {signal});
				await dumping.done;
			},
			async read(signal) {
				const reading = server.client({argv, env, stdin: true, signal});
				reading.then(started.resolve, started.reject);
				await check(await reading);
			},
		});
	} else {
		const inside = server.fromWorker(consumerScript, [fifo], argv);
		await feed(context, {
			snapshot: stored.snapshot,
			path: stored.path,
			fifo,
			consume: async signal => check(await worker({...inside, env: {...inside.env, ...env}, signal})),
		});
	}
}

async function assertDone(running: Running): Promise<void> {
	running.stdout.resume();
	const {exitCode, stderr} = await running.done;
	if (exitCode !== 0) {
		throw new RunError(`exit code ${exitCode}: ${lastLines(stderr)}`);
	}
}

interface Tolerance {
	source: string;
	extensions: Readonly<Record<string, string>>;
	context: Pick<RestoreContext, 'tolerate'>;
}

/** It goes on after errors, so that those of the list can be told from others: the first of the others ends it. */
async function assertTolerable(running: Running, {source, extensions, context}: Tolerance): Promise<void> {
	const complaints = createComplaints(extensions);
	for await (const line of createInterface({input: running.stdout})) {
		if (!complaints.read(line)) {
			await running.kill();
			throw new RunError(complaints.failure());
		}
	}

	const {exitCode, stderr} = await running.done;
	if (!complaints.explain(exitCode)) {
		throw new RunError(`exit code ${exitCode}: ${complaints.failure() || lastLines(stderr)}`);
	}

	for (const [what, count] of complaints.tolerated()) {
		context.tolerate({source, what, count});
	}
}

/** How many tables the archive's table of contents names. Only its beginning is read. */
async function countTables(
	{restic, signal}: RestoreContext,
	{client}: PostgresServer,
	{stored, database}: PostgresSource,
): Promise<number> {
	const listing = await client({argv: ['pg_restore', '--list'], stdin: true, signal});
	const dumping = await restic.dump(stored.snapshot, stored.path, signal);
	// The reader leaves when it knows enough, and this end then fails.
	const fed = pipeline(dumping.stdout, listing.stdin).catch(() => {});
	let tables = 0;
	for await (const line of createInterface({input: listing.stdout})) {
		tables += /^\d+; 1259 \d+ TABLE /.test(line) ? 1 : 0;
	}

	const {exitCode, stderr} = await listing.done;
	listing.stdin.destroy();
	await dumping.kill();
	await fed;
	if (exitCode !== 0) {
		throw new RunError(`the dump of \`${database}\` cannot be read: ${lastLines(stderr)}`);
	}

	return tables;
}

const countSql = `select count(*) from pg_class c join pg_namespace n on n.oid = relnamespace
	where relkind in ('r', 'p') and relpersistence <> 't' and nspname <> 'information_schema' and nspname !~ '^pg_'
	and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = c.oid and deptype = 'e')`;

async function assertTables(server: PostgresServer, {fresh, tables}: {fresh: string; tables: number | undefined}): Promise<void> {
	const found = Number((await server.query(fresh, countSql))[0]?.[0]);
	if (tables !== undefined && found < tables) {
		throw new RunError(`the dump names ${tables} tables, and ${found} were restored`);
	}
}

/** Wherever the restore stopped: before the swap, in it, or after it. */
export async function rollBackDatabase(
	{source, database, fresh, oid, old, user}: ReplacedDatabase,
	{engine, container, signal}: UndoContext,
): Promise<void> {
	const server = await connectPostgres(engine, container(source), user, signal);
	const [live, aside] = await Promise.all([database, old ?? ''].map(async name => stateOf(server, database, name)));
	if (aside?.exists) {
		await swapDatabases(
			server,
			live?.exists ? {live: database, next: old as string, aside: fresh} : {live: database, next: old as string, aside: null},
		);
	} else if (old === null && live?.exists && live.oid === oid) {
		// There was none before; what is there now is what was restored.
		await dropDatabase(server, database, database);
	} else if (live?.exists && !live.allowsConnections) {
		await runSql(server, {database: maintenanceOf(database), statements: [openSql(database)]});
	}

	await dropDatabase(server, database, fresh);
}

export async function dropReplacedDatabase(
	{source, database, old, user}: ReplacedDatabase,
	{engine, container, signal}: UndoContext,
): Promise<void> {
	if (old !== null) {
		await dropDatabase(await connectPostgres(engine, container(source), user, signal), database, old);
	}
}
