/**
 * A PostgreSQL database: its snapshot is exported in the moment by a session in the database's container, and dumped afterwards, while
 * the app runs.
 */
import {pipeline} from 'node:stream/promises';
import {z} from 'zod';
import {type Command, lastLines, output, type Place, type Running, succeed} from '../../../base/command.ts';
import {explain, RunError} from '../../../base/errors.ts';
import {onceWithin, single} from '../../../base/once.ts';
import {producerScript, storeStream} from '../relay.ts';
import {openSession, type Session} from '../session.ts';
import type {Among, Source, SourceContext} from '../source.ts';
import {contentsSql, type PostgresContents, postgresContents} from './contents.ts';
import {assertClientFits} from './external.ts';
import {type Hazards, hazardsSql, hazardWarnings} from './hazards.ts';
import type {PlannedDatabase} from './plan.ts';
import {describeSql} from './properties.ts';
import {untimedEnvironment} from './psql.ts';
import {reachServer} from './reach.ts';
import {connectionString, type PostgresServer} from './server.ts';
import {ownSession} from './timeouts.ts';
import {assertNoLongWait, type Blocker, defaultLockTimeoutMs, endSessions, waitedTooLong, waitsSql} from './waits.ts';

type Argv = readonly [string, ...string[]];

/** Uncompressed, so that restic finds what did not change. The custom format begins `PGDMP`, a plain one with a comment; and ends with one. */
const sqlTrailer = '-- PostgreSQL database dump complete';
const formats = {
	custom: {argv: ['--format=custom', '--compress=0'], quoting: [], magic: 'PGDMP', trailer: '', stored: 'custom'},
	plain: {argv: ['--format=plain'], quoting: [], magic: '--', trailer: sqlTrailer, stored: 'plain'},
	// As pg_dumpall is told to where the dump is for another version. Its own way is one database after the other: not of one moment.
	all: {argv: ['--format=plain'], quoting: ['--quote-all-identifiers'], magic: '--', trailer: sqlTrailer, stored: 'plain'},
};

const describe = `select json_build_object(
	'serverVersion', current_setting('server_version'), 'serverVersionNumber', current_setting('server_version_num')::int,
	'databaseSize', pg_database_size(oid), 'owner', pg_get_userbyid(datdba), 'encoding', pg_encoding_to_char(encoding),
	'collate', datcollate, 'ctype', datctype,
	'preloaded', (select setting from pg_settings where name = 'shared_preload_libraries'),
	'extensions', (select coalesce(json_object_agg(extname, extversion), '{}') from pg_extension))
from pg_database where datname = current_database();`.replaceAll(/\s+/g, ' ');

/** What the manifest says of a dumped database. */
export const postgresDetails = z.object({
	database: z.string(),
	format: z.enum(['custom', 'plain']),
	serverVersion: z.string(),
	serverVersionNumber: z.number(),
	databaseSize: z.number(),
	owner: z.string(),
	encoding: z.string(),
	collate: z.string(),
	ctype: z.string(),
	extensions: z.record(z.string(), z.string()),
	toolVersion: z.string(),
	/** SQL that makes the roles; without their passwords where the dumping role may not read them. */
	globals: z.string(),
	/** `shared_preload_libraries`, where the dumping role may read it. */
	preloaded: z.string().nullish(),
	/** How much of each kind it has. */
	contents: postgresContents.optional(),
	/** It came in as an archive: who owned what, and who might do what, was another server's affair. */
	portable: z.boolean().default(false),
});

export function postgresSource(planned: PlannedDatabase, context: SourceContext, {index}: Among): Source {
	const {name, database, lockTimeoutMs = defaultLockTimeoutMs} = planned;
	const {argv, quoting, magic, trailer, stored} = formats[planned.format];
	const {signal} = context;
	const fifo = `${context.staging}/${index}.fifo`;
	/** Tells its sessions from all others. PostgreSQL keeps 63 bytes of it. */
	const application = `holdfast ${context.run} ${index}`;
	let isDumping = false;
	let server: PostgresServer | undefined;
	let session: Session | undefined;
	let environment: Reached['environment'] | undefined;
	let worker: Place | undefined;
	let snapshot = '';
	let details: Record<string, unknown> = {};

	return {
		name,
		pinNeedsItsContainer: planned.external === undefined,
		pinStores: false,
		async prepare() {
			const reached = await reachedFor(context, planned);
			({server, environment} = reached);
			session = await openSession(server.client, {
				argv: ['psql', '-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', ...server.connection(database)],
				env: {PGAPPNAME: application},
				signal,
			});
			await session.ask(`${ownSession.join('; ')}; select 1;`, signal);
			// Whatever fails beside it, a worker that is being made is waited for, so that it can be dismissed.
			const entering = Promise.allSettled([reached.worker()]);
			try {
				details = {
					database,
					format: stored,
					...(await describeDatabase(session, signal)),
					...(await reached.describe(database, quoting)),
				};
			} finally {
				const [entered] = await entering;
				worker = entered.status === 'fulfilled' ? entered.value : undefined;
			}

			signal.throwIfAborted();
			const hazards = JSON.parse(await session.ask(`${hazardsSql};`, signal)) as Hazards;
			for (const warning of hazardWarnings(hazards)) {
				context.tell({type: 'warning', message: `\`${name}\` ${warning}`});
			}
		},
		async firstPass() {},
		async arm() {},
		async pin(moment) {
			const begin = `${snapshot ? 'rollback; ' : ''}begin isolation level repeatable read read only; select pg_export_snapshot();`;
			snapshot = (await session?.ask(begin, AbortSignal.any([signal, moment]))) ?? '';
		},
		async store() {
			if (server === undefined || environment === undefined || snapshot === '') {
				throw new Error('store before pin');
			}

			const options = ['--snapshot', snapshot, '--lock-wait-timeout', String(lockTimeoutMs)] as const;
			const dump: Argv = ['pg_dump', ...argv, ...quoting, ...server.connection(database), ...options];
			const env = {PGAPPNAME: application, ...(await environment(database))};
			isDumping = true;
			const saved = await storeStream(context, {
				source: name,
				fifo,
				magic,
				trailer,
				produce: patient(producer(context, server, worker, {database, dump, env, fifo}), {
					limitMs: lockTimeoutMs,
					ask: async () => JSON.parse((await session?.ask(waitsSql(application))) ?? '[]') as Blocker[],
				}),
			});
			isDumping = false;
			// In the transaction that the dump shows.
			const contents = JSON.parse((await session?.ask(`${contentsSql};`, signal)) ?? '{}') as PostgresContents;
			await session?.close();
			return {snapshot: saved.snapshot, bytes: saved.bytes, addedBytes: saved.addedBytes, details: {...details, contents}};
		},
		// A dump is smaller than its database, but for very few.
		expectedBytes: () => (typeof details.databaseSize === 'number' ? details.databaseSize : undefined),
		async close() {
			await session?.close();
			if (isDumping && server !== undefined) {
				await endSessions(server, database, application);
			}
		},
	};
}

/** A server, and what is the same for all of its databases. */
interface Reached {
	server: PostgresServer;
	describe: (database: string, quoting: readonly string[]) => Promise<Record<string, unknown>>;
	environment: (database: string) => Promise<Record<string, string>>;
	worker: () => Promise<Place | undefined>;
}

const reachedOnce = onceWithin<SourceContext, Reached>();

/** The databases of a run ask their server once what does not depend on them: each question is a program that starts in its container. */
async function reachedFor(context: SourceContext, planned: PlannedDatabase): Promise<Reached> {
	const {container, user, external, inside, format} = planned;
	return reachedOnce(context, JSON.stringify([container.id, user, external, inside, format]), async () => reachIt(context, planned));
}

async function reachIt(context: SourceContext, planned: PlannedDatabase): Promise<Reached> {
	const server = await reachServer(context, planned);
	await assertClientFits(server);
	let described: Promise<Record<string, unknown>> | undefined;
	let environment: Promise<Record<string, string>> | undefined;
	return {
		server,
		async describe(database, quoting) {
			const own = async () => describeServer(server, database, quoting);
			described ??= own();
			// The role may not be let into the database that was asked first.
			return described.catch(own);
		},
		async environment(database) {
			const own = async () => untimedEnvironment(server, database);
			if (server.isExternal) {
				return own();
			}

			environment ??= own();
			return environment.catch(own);
		},
		worker: single(async () => enterableWorker(context, server, planned.container, context.signal)),
	};
}

type Produce = (signal: AbortSignal) => Promise<void>;

/** Ends a dump that waits for a lock for too long, and says who is in the way, also where the dump itself was the first to give up. */
function patient(produce: Produce, {ask, limitMs}: {ask: () => Promise<Blocker[]>; limitMs: number}): Produce {
	return async signal => {
		const over = new AbortController();
		const either = AbortSignal.any([signal, over.signal]);
		let last: readonly Blocker[] = [];
		const watching = assertNoLongWait({ask, limitMs, signal: either}, blockers => {
			last = blockers;
		}).catch((error: unknown) => over.abort(error));
		try {
			await produce(either);
		} catch (error) {
			signal.throwIfAborted();
			throw last.length > 0 && !over.signal.aborted ? waitedTooLong(last, limitMs) : error;
		} finally {
			over.abort();
			await watching;
		}
	};
}

async function describeServer(server: PostgresServer, database: string, quoting: readonly string[]): Promise<Record<string, unknown>> {
	const version = await succeed(server.client, {argv: ['pg_dump', '--version']});
	const globals = await dumpGlobals(server, database, quoting);
	return {toolVersion: version.trim(), globals};
}

export async function dumpGlobals(server: PostgresServer, database: string, quoting: readonly string[] = []): Promise<string> {
	const {client, user} = server;
	// By itself it would want to connect to `postgres`.
	const argv = [
		'pg_dumpall',
		'--globals-only',
		...quoting,
		'--no-password',
		`--username=${user}`,
		`--database=${connectionString(database)}`,
	] as const;
	const env = await untimedEnvironment(server, database);
	const {exitCode, stdout} = await output(client, {argv, env});
	// Only a superuser may read the passwords of the roles.
	return exitCode === 0 ? stdout : succeed(client, {argv: [...argv, '--no-role-passwords'], env});
}

async function describeDatabase(session: Session, signal: AbortSignal): Promise<Record<string, unknown>> {
	const described = JSON.parse(await session.ask(describe, signal)) as Record<string, unknown>;
	const properties = JSON.parse(await session.ask(`${describeSql('datname = current_database()')};`, signal)) as Record<string, unknown>;
	return {...described, ...properties};
}

interface Produced {
	database: string;
	dump: Argv;
	env: Readonly<Record<string, string>>;
	fifo: string;
}

/** By the dump worker, or through the agent where there is none. */
function producer(
	context: SourceContext,
	server: PostgresServer,
	worker: Place | undefined,
	{database, dump, env, fifo}: Produced,
): Produce {
	const check = async (running: Running) => {
		running.stdout.resume();
		const {exitCode, stderr} = await running.done;
		if (exitCode !== 0) {
			throw new RunError(`pg_dump of \`${database}\` failed with exit code ${exitCode}: ${lastLines(stderr)}`);
		}
	};

	return async (signal: AbortSignal): Promise<void> => {
		if (worker === undefined) {
			await dumpThroughAgent(context, server, {argv: dump, env, signal}, fifo, check);
		} else {
			const inside = server.fromWorker(producerScript, [fifo], dump);
			await check(await worker({...inside, env: {...inside.env, ...env}, signal}));
		}
	};
}

/** Where a program can run beside the staging folder. None where the engine, a security module or a pid namespace of the host forbids it: then it is said, and docker exec serves. */
export async function enterableWorker(
	{dumpWorker, clientWorker, tell}: SourceContext,
	server: PostgresServer,
	{id, name}: {id: string; name: string},
	signal: AbortSignal,
) {
	if (server.isExternal) {
		return (await clientWorker()).run;
	}

	try {
		server.assertEnterable();
		const {run} = await dumpWorker(id);
		await succeed(run, {...server.fromWorker('exec "$@"', [], ['true']), signal});
		return run;
	} catch (error) {
		signal.throwIfAborted();
		tell({type: 'warning', message: `dumps of container \`${name}\` go through docker exec, which is slower: ${explain(error)}`});
		return undefined;
	}
}

async function dumpThroughAgent(
	context: SourceContext,
	{client}: PostgresServer,
	command: Command,
	fifo: string,
	check: (running: Running) => Promise<void>,
): Promise<void> {
	const sink = await context.worker({argv: ['sh', '-c', 'cat >"$1"', 'sh', fifo], stdin: true, signal: command.signal});
	sink.stdout.resume();
	const dumping = await client(command);
	await pipeline(dumping.stdout, sink.stdin);
	await check(dumping);
	const {exitCode, stderr} = await sink.done;
	if (exitCode !== 0) {
		throw new RunError(`the dump could not be handed on: ${lastLines(stderr)}`);
	}
}
