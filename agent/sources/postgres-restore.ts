/**
 * A PostgreSQL database is loaded into a new one while the old one serves, and then takes its name. The old one is kept under another name,
 * closed to connections.
 */
import {createHash} from 'node:crypto';
import {createInterface} from 'node:readline';
import {pipeline} from 'node:stream/promises';
import type {Engine} from '../../docker/engine.ts';
import {lastLines, output, type Running} from '../command.ts';
import {explain, RunError} from '../errors.ts';
import {consumerScript, feed} from './feed.ts';
import {enterableWorker, postgresDetails} from './postgres.ts';
import {createDatabaseSql, type DatabaseProperties, databaseProperties, describeSql, propertiesSql} from './postgres-database.ts';
import {afterLoad, beforeLoad, extensionProblems} from './postgres-extensions.ts';
import {missingRoles} from './postgres-roles.ts';
import {connectPostgres, type PostgresServer, quoteLiteral} from './postgres-server.ts';
import {dropDatabase, maintenanceOf, openSql, stateOf, swapDatabases} from './postgres-swap.ts';
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

const major = (versionNumber: number) => Math.floor(versionNumber / 10_000);

/** All that is wrong, for people; empty when the restore can begin. Nothing is changed. */
export async function checkPostgres({container, database, user, stored}: PostgresSource, engine: Engine): Promise<string[]> {
	try {
		const details = postgresDetails.parse(stored.details);
		const server = await connectPostgres(engine, container, user);
		const [answer = '{}'] = (await server.query(maintenanceOf(database), checkSql(database))).map(([row]) => row);
		const found = JSON.parse(answer) as {
			directory: string | null;
			version: number;
			versionText: string;
			superuser: boolean;
			createdb: boolean;
			prepared: number;
			extensions: string[];
		};
		const problems: string[] = [];
		if (major(found.version) < major(details.serverVersionNumber)) {
			problems.push(
				`it was dumped by PostgreSQL ${details.serverVersion}, and the server in container \`${container.name}\` is older: ${found.versionText}`,
			);
		}

		if (!found.superuser && !found.createdb) {
			problems.push(`role \`${server.user}\` may not create databases (\`alter role … createdb\`)`);
		}

		if (found.prepared > 0) {
			problems.push(
				`database \`${database}\` has ${found.prepared} prepared transactions, which forbid renaming it: commit or roll them back`,
			);
		}

		problems.push(...extensionProblems(details.extensions, found.extensions));

		// Only a superuser may know where.
		const free = found.directory === null ? undefined : await freeBytes(server, found.directory);
		const needed = details.databaseSize + marginBytes;
		if (free !== undefined && free < needed) {
			problems.push(
				`there is too little room: it needs ${gigabytes(needed)} (its own size and ${gigabytes(marginBytes)}), and ${found.directory} has ${gigabytes(free)} left`,
			);
		}

		return problems;
	} catch (error) {
		return [explain(error)];
	}
}

/** What the server needs beside the database itself: write-ahead log, sorting, the old database going on. */
const marginBytes = 2.25 * 1024 ** 3;

const gigabytes = (bytes: number) => `${(bytes / 1024 ** 3).toFixed(2)} GiB`;

/** Undefined where it cannot be known: the container has no `df`. */
async function freeBytes({client}: PostgresServer, folder: string): Promise<number | undefined> {
	const {exitCode, stdout} = await output(client, {argv: ['df', '-P', '-k', '--', folder]});
	const [, kibibytes] = /\s\d+\s+\d+\s+(\d+)\s+\d+%\s/.exec(stdout) ?? [];
	return exitCode === 0 && kibibytes !== undefined ? Number(kibibytes) * 1024 : undefined;
}

const checkSql = (database: string) => `select json_build_object('version', current_setting('server_version_num')::int,
	'versionText', current_setting('server_version'), 'superuser', rolsuper, 'createdb', rolcreatedb,
	'directory', case when rolsuper then current_setting('data_directory') end, 'prepared', (select count(*) from pg_prepared_xacts where database = ${quoteLiteral(database)}),
	'extensions', (select json_agg(name || ' ' || version) from pg_available_extension_versions))
	from pg_roles where rolname = current_user`;

export function postgresRestoring(source: PostgresSource, context: RestoreContext, index: number): Restoring {
	const {name, container, database, user, stored} = source;
	const {engine, signal, run, tell} = context;
	const details = postgresDetails.parse(stored.details);
	const maintenance = maintenanceOf(database);
	const fresh = databaseName(database, 'restore', run);
	let server: PostgresServer;
	let replacement: ReplacedDatabase = {kind: 'postgres', source: name, database, fresh, oid: null, old: null, user};

	const sql = async (where: string, ...statements: string[]) => runSql(server, {database: where, statements, signal});
	const ownSql = async (statement: string | undefined) => {
		if (statement !== undefined) {
			await runSql(server, {database: fresh, statements: [statement], variables: {old_name: database, new_name: database}, signal});
		}
	};

	return {
		name,
		async load() {
			server = await connectPostgres(engine, container, user, signal);
			await makeRoles(server, maintenance, details.globals, role => tell({type: 'warning', message: role}), signal);
			const live = await sql(maintenance, describeSql(`datname = ${quoteLiteral(database)}`));
			const properties: DatabaseProperties = databaseProperties.parse(live === '' ? stored.details : JSON.parse(live));
			replacement = {...replacement, old: live === '' ? null : databaseName(database, 'before', run)};
			context.remember(replacement);
			await sql(maintenance, createDatabaseSql(fresh, properties));
			replacement = {...replacement, oid: (await stateOf(server, database, fresh)).oid};
			context.remember(replacement);
			await ownSql(source.beforeSql);
			await sql(fresh, ...beforeLoad(details.extensions));
			const tables = details.format === 'custom' ? await countTables(context, server, source) : undefined;
			await loadContent(context, server, {source, fresh, format: details.format, fifo: `${context.staging}/restore-${index}.fifo`});
			await sql(fresh, ...afterLoad(details.extensions));
			await ownSql(source.afterSql);
			await assertTables(server, {fresh, tables});
			await sql(fresh, 'analyze');
			await sql(maintenance, ...propertiesSql(fresh, properties));
		},
		async keep() {},
		async swap() {
			await swapDatabases(server, {live: database, next: fresh, aside: replacement.old});
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
	format: 'custom' | 'plain';
	fifo: string;
}

/** The container's own program reads it, in the dump worker or, where there can be none, through docker exec. */
async function loadContent(context: RestoreContext, server: PostgresServer, {source, fresh, format, fifo}: Content): Promise<void> {
	const {container, database, stored} = source;
	const argv =
		format === 'custom'
			? (['pg_restore', '--exit-on-error', ...server.connection(fresh)] as const)
			: (['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', ...server.connection(fresh), '-f', '-'] as const);
	const check = async (running: Running) => {
		running.stdout.resume();
		const {exitCode, stderr} = await running.done;
		if (exitCode !== 0) {
			throw new RunError(`${argv[0]} of \`${database}\` failed with exit code ${exitCode}: ${lastLines(stderr)}`);
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
				const reading = server.client({argv, stdin: true, signal});
				reading.then(started.resolve, started.reject);
				await check(await reading);
			},
		});
	} else {
		await feed(context, {
			snapshot: stored.snapshot,
			path: stored.path,
			fifo,
			consume: async signal => check(await worker({...server.fromWorker(consumerScript, [fifo], argv), signal})),
		});
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
