/**
 * A PostgreSQL database: its snapshot is exported in the moment by a session in the database's container, and dumped afterwards, while
 * the app runs.
 */
import {pipeline} from 'node:stream/promises';
import {z} from 'zod';
import {type Command, lastLines, output, type Place, type Running, succeed} from '../../../base/command.ts';
import {explain, RunError} from '../../../base/errors.ts';
import type {PlannedSource} from '../kind.ts';
import {producerScript, storeStream} from '../relay.ts';
import {openSession, type Session} from '../session.ts';
import type {Source, SourceContext} from '../source.ts';
import {contentsSql, type PostgresContents, postgresContents} from './contents.ts';
import {assertClientFits} from './external.ts';
import {describeSql} from './properties.ts';
import {reachServer} from './reach.ts';
import type {PostgresServer} from './server.ts';

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

export function postgresSource(planned: PlannedSource & {kind: 'postgres'}, context: SourceContext, index: number): Source {
	const {name, container, database} = planned;
	const {argv, quoting, magic, trailer, stored} = formats[planned.format];
	const {signal} = context;
	const fifo = `${context.staging}/${index}.fifo`;
	let server: PostgresServer | undefined;
	let session: Session | undefined;
	let worker: Place | undefined;
	let snapshot = '';
	let details: Record<string, unknown> = {};

	return {
		name,
		pinNeedsItsContainer: planned.external === undefined,
		async prepare() {
			server = await reachServer(context, planned);
			await assertClientFits(server);
			session = await openSession(server.client, {
				argv: ['psql', '-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', ...server.connection(database)],
				env: {PGAPPNAME: 'holdfast'},
				signal,
			});
			// Whatever fails beside it, a worker that is being made is waited for, so that it can be dismissed.
			const entering = Promise.allSettled([enterableWorker(context, server, container, signal)]);
			try {
				details = {database, format: stored, ...(await describeDatabase(session, signal)), ...(await describeServer(server, quoting))};
			} finally {
				const [entered] = await entering;
				worker = entered.status === 'fulfilled' ? entered.value : undefined;
			}

			signal.throwIfAborted();
		},
		async firstPass() {},
		async arm() {},
		async pin(moment) {
			const begin = `${snapshot ? 'rollback; ' : ''}begin isolation level repeatable read read only; select pg_export_snapshot();`;
			snapshot = (await session?.ask(begin, AbortSignal.any([signal, moment]))) ?? '';
		},
		async store() {
			if (server === undefined || snapshot === '') {
				throw new Error('store before pin');
			}

			const dump: Argv = ['pg_dump', ...argv, ...quoting, ...server.connection(database), `--snapshot=${snapshot}`];
			const saved = await storeStream(context, {
				source: name,
				fifo,
				magic,
				trailer,
				produce: producer(context, server, worker, {database, dump, fifo}),
			});
			// In the transaction that the dump shows.
			const contents = JSON.parse((await session?.ask(`${contentsSql};`, signal)) ?? '{}') as PostgresContents;
			await session?.close();
			return {snapshot: saved.snapshot, bytes: saved.bytes, addedBytes: saved.addedBytes, details: {...details, contents}};
		},
		async close() {
			await session?.close();
		},
	};
}

async function describeServer(server: PostgresServer, quoting: readonly string[]): Promise<Record<string, unknown>> {
	const [version, globals] = await Promise.all([succeed(server.client, {argv: ['pg_dump', '--version']}), dumpGlobals(server, quoting)]);
	return {toolVersion: version.trim(), globals};
}

export async function dumpGlobals({client, user}: PostgresServer, quoting: readonly string[] = []): Promise<string> {
	const argv = ['pg_dumpall', '--globals-only', ...quoting, '--no-password', `--username=${user}`] as const;
	const {exitCode, stdout} = await output(client, {argv});
	// Only a superuser may read the passwords of the roles.
	return exitCode === 0 ? stdout : succeed(client, {argv: [...argv, '--no-role-passwords']});
}

async function describeDatabase(session: Session, signal: AbortSignal): Promise<Record<string, unknown>> {
	const described = JSON.parse(await session.ask(describe, signal)) as Record<string, unknown>;
	const properties = JSON.parse(await session.ask(`${describeSql('datname = current_database()')};`, signal)) as Record<string, unknown>;
	return {...described, ...properties};
}

interface Produced {
	database: string;
	dump: Argv;
	fifo: string;
}

/** By the dump worker, or through the agent where there is none. */
function producer(context: SourceContext, server: PostgresServer, worker: Place | undefined, {database, dump, fifo}: Produced) {
	const check = async (running: Running) => {
		running.stdout.resume();
		const {exitCode, stderr} = await running.done;
		if (exitCode !== 0) {
			throw new RunError(`pg_dump of \`${database}\` failed with exit code ${exitCode}: ${lastLines(stderr)}`);
		}
	};

	return async (signal: AbortSignal): Promise<void> => {
		if (worker === undefined) {
			await dumpThroughAgent(context, server, {argv: dump, signal}, fifo, check);
		} else {
			await check(await worker({...server.fromWorker(producerScript, [fifo], dump), signal}));
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
