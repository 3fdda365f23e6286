/**
 * A PostgreSQL database: its snapshot is exported in the moment by a session in the database's container, and dumped afterwards, while
 * the app runs.
 */
import * as z from 'zod';
import {lastLines, type Place, type Running} from '../../../base/command.ts';
import {explain, RunError} from '../../../base/errors.ts';
import {defaultLockTimeoutMs} from '../../config/settings.ts';
import type {Saved} from '../../restic/restic.ts';
import {throughAgent} from '../entering.ts';
import {type Produce, producerScript, storeStream} from '../relay.ts';
import type {Session} from '../session.ts';
import type {Among, Source, SourceContext} from '../source.ts';
import {contentsSql, type PostgresContents, postgresContents} from './contents.ts';
import {type Hazards, hazardsSql, hazardWarnings, superuserOnly} from './hazards.ts';
import {NoSessionError} from './maintenance.ts';
import type {PlannedDatabase} from './plan.ts';
import {commentSql, describeSql} from './properties.ts';
import {isOvertaken, unlessRewritten} from './rewritten.ts';
import {type PostgresServer, spokenEnglish} from './server.ts';
import {type Share, shareOf} from './share.ts';
import {quoteLiteral} from './sql.ts';
import {type Blocker, endSessions, patient, waitsSql} from './waits.ts';

type Argv = readonly [string, ...string[]];

/** Uncompressed, so that restic finds what did not change. The custom format begins `PGDMP`, a plain one with a comment; and ends with one. */
const sqlTrailer = '-- PostgreSQL database dump complete';
const formats = {
	custom: {argv: ['--format=custom', '--compress=0'], quoting: [], magic: 'PGDMP', trailer: '', stored: 'custom'},
	plain: {argv: ['--format=plain'], quoting: [], magic: '--', trailer: sqlTrailer, stored: 'plain'},
	// As pg_dumpall is told to where the dump is for another version. Its own way is one database after the other: not of one moment.
	all: {argv: ['--format=plain'], quoting: ['--quote-all-identifiers'], magic: '--', trailer: sqlTrailer, stored: 'plain'},
};

const describe = `select json_build_object('database', datname,
	'serverVersion', current_setting('server_version'), 'serverVersionNumber', current_setting('server_version_num')::int,
	'databaseSize', pg_database_size(oid), 'owner', pg_get_userbyid(datdba), 'encoding', pg_encoding_to_char(encoding),
	'collate', datcollate, 'ctype', datctype,
	'lcMonetary', case when exists (select from pg_type where typbasetype in ('money'::regtype, 'money[]'::regtype))
		or exists (select from pg_attribute where attrelid >= 16384 and atttypid in ('money'::regtype, 'money[]'::regtype)) then current_setting('lc_monetary') end,
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
	/** Where it has sums of money: they are read as they are written (https://www.postgresql.org/docs/current/datatype-money.html). */
	lcMonetary: z.string().nullish(),
	/** What it has that a superuser must restore. */
	superuserOnly: z.array(z.string()).default([]),
	/** How much of each kind it has. */
	contents: postgresContents.optional(),
	/** It came in as an archive: who owned what, and who might do what, was another server's affair. */
	portable: z.boolean().default(false),
});

export function postgresSource(planned: PlannedDatabase, context: SourceContext, {index, all}: Among): Source {
	const {name, database, lockTimeoutMs = defaultLockTimeoutMs} = planned;
	const {argv, quoting, magic, trailer, stored} = formats[planned.format];
	const {signal, tell} = context;
	/** Tells its sessions from all others. PostgreSQL keeps 63 bytes of it. */
	const application = `holdfast ${context.run} ${index}`;
	let isDumping = false;
	let share: Share | undefined;
	let session: Session | undefined;
	let snapshot = '';
	let details: Record<string, unknown> = {};

	const begin = async ({open, describe, server}: Share): Promise<void> => {
		session = await open(database, application);
		details = {database, format: stored, ...(await describeDatabase(session, server, signal)), ...(await describe(quoting))};
		const hazards = JSON.parse(await session.ask(`${hazardsSql};`, signal)) as Hazards;
		details = {...details, superuserOnly: superuserOnly(hazards)};
		context.warnOnce?.(
			name,
			hazardWarnings(hazards).map(warning => `\`${name}\` ${warning}`),
		);
	};

	const ask = async (sql: string): Promise<string> => {
		if (session === undefined) {
			throw new Error('asked before begin');
		}

		return session.ask(sql);
	};

	const pin = async (within: AbortSignal): Promise<void> => {
		const sql = `${snapshot ? 'rollback; ' : ''}begin isolation level repeatable read read only; select pg_export_snapshot();`;
		snapshot = (await session?.ask(sql, within)) ?? '';
	};

	const dump = async ({server, worker, environment}: Share, pipe: string): Promise<Saved> => {
		// A role may have another encoding, in which there need not be all characters of the database.
		const options = ['--snapshot', snapshot, '--lock-wait-timeout', String(lockTimeoutMs), `--encoding=${details.encoding}`] as const;
		const command: Argv = ['pg_dump', ...argv, ...quoting, ...server.connection(database), ...options];
		const env = {PGAPPNAME: application, ...spokenEnglish, ...(await environment(database))};
		return storeStream(context, {
			source: name,
			fifo: pipe,
			magic,
			trailer,
			produce: patient(
				unlessRewritten(producer(context, server, await worker, {database, dump: command, env, fifo: pipe}), {ask, application}),
				{
					limitMs: lockTimeoutMs,
					ask: async () => JSON.parse(await ask(waitsSql(application))) as Blocker[],
				},
			),
		});
	};

	/** What overtakes its snapshot is met by a new one, where it need not be of the moment of anything else. */
	const dumpSteadily = async (own: Share): Promise<Saved> => {
		let pipes = 0;
		for (let tries = 1; ; tries++) {
			try {
				return await own.patiently(async () => dump(own, `${context.staging}/${index}-${pipes++}.fifo`));
			} catch (error) {
				signal.throwIfAborted();
				if (/ conflict with recovery/.test(explain(error))) {
					throw new RunError('the server is a standby, and the dump was in the way of what it replays', {cause: error, hint: standbyHint});
				}

				if (!isOvertaken(error)) {
					throw error;
				}

				const isMoment = context.outage?.isMoment === true;
				if (isMoment || tries === mostTries) {
					throw new RunError(`\`${database}\` could not be dumped as it was`, {cause: error, hint: overtakenHint(isMoment)});
				}

				tell({type: 'warning', message: `${explain(error)}: it is dumped again, as it is now`});
				await pin(signal);
				details = {...details, pinnedAt: new Date().toISOString()};
			}
		}
	};

	return {
		name,
		pinNeedsItsContainer: planned.external === undefined,
		pinStores: false,
		async prepare() {
			share = await shareOf(planned, context, all);
			try {
				signal.throwIfAborted();
				if (share.way !== 'in turn') {
					await begin(share);
				}
			} finally {
				await share.worker;
			}
		},
		async firstPass() {},
		async arm() {},
		async pin(moment) {
			if (share !== undefined && share.way !== 'in turn') {
				await pin(AbortSignal.any([signal, moment]));
			}
		},
		async store() {
			if (share?.way === 'in turn') {
				await begin(share);
				await pin(signal);
				details = {...details, pinnedAt: new Date().toISOString()};
			}

			if (share === undefined || snapshot === '') {
				throw new Error('store before pin');
			}

			isDumping = true;
			try {
				const saved = await dumpSteadily(share);
				isDumping = false;
				// In the transaction that the dump shows.
				const contents = JSON.parse((await session?.ask(`${contentsSql};`, signal)) ?? '{}') as PostgresContents;
				return {snapshot: saved.snapshot, bytes: saved.bytes, addedBytes: saved.addedBytes, details: {...details, contents}};
			} finally {
				// Others may wait for it.
				await session?.close();
			}
		},
		// A dump is smaller than its database, but for very few. Where sessions are few, one dumps at a time.
		expectedBytes: () => (share?.way === 'together' && typeof details.databaseSize === 'number' ? details.databaseSize : undefined),
		async close() {
			await session?.close();
			if (isDumping && share !== undefined) {
				await endSessions(share.server, database, application);
			}
		},
	};
}

const standbyHint =
	'set `hot_standby_feedback = on` there, or a `max_standby_streaming_delay` that is longer than a dump takes; or dump the server that it follows';

/** Each is over before it has dumped anything. */
const mostTries = 5;

const overtakenHint = (isMoment: boolean): string =>
	`if its application truncates, alters or drops tables at that time, back up at another${isMoment ? '; or let its files be those of another target: a database that need not be of their moment is dumped again by itself' : ''}`;

/** Names of roles have the encoding of the database in which they were made, and one of another encoding reads other names: which mostly are those of one in UTF-8, if it can read them at all. */
async function describeDatabase(session: Session, server: PostgresServer, signal: AbortSignal): Promise<Record<string, unknown>> {
	const described = JSON.parse(await session.ask(describe, signal)) as Record<string, unknown>;
	const own = async () => session.ask(`${describeSql('datname = current_database()')};`, signal);
	const properties =
		described.encoding === 'UTF8'
			? await own()
			: await server.anywhere(describeSql(`datname = ${quoteLiteral(String(described.database))}`)).then(
					([[found = ''] = []]) => found || own(),
					async (error: unknown) => {
						signal.throwIfAborted();
						return error instanceof NoSessionError ? Promise.reject(error) : own();
					},
				);
	const comment = await session.ask(`select coalesce((${commentSql('datname = current_database()')}), 'null');`, signal);
	return {...described, ...(JSON.parse(properties) as Record<string, unknown>), comment: JSON.parse(comment) as unknown};
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
			await throughAgent(context, {client: server.client, command: {argv: dump, env, signal}, file: fifo, check});
		} else {
			const inside = server.fromWorker(producerScript, [fifo], dump);
			await check(await worker({...inside, env: {...inside.env, ...env}, signal}));
		}
	};
}
