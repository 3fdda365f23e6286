/** What the databases of one server share in a run: the way to it, its description, and its sessions, of which they take few and wait for more. */
import {setTimeout as delay} from 'node:timers/promises';
import {type Place, succeed} from '../../../base/command.ts';
import {once, onceWithin, single} from '../../../base/once.ts';
import {enterableWorker} from '../entering.ts';
import {openSession, type Session} from '../session.ts';
import type {PlannedSource, SourceContext} from '../source.ts';
import {CrowdedError, isCrowded} from './crowded.ts';
import {assertClientFits} from './external.ts';
import {dumpGlobals} from './globals.ts';
import {isDatabase, type PlannedDatabase} from './plan.ts';
import {untimedEnvironment} from './psql.ts';
import {reachServer} from './reach.ts';
import type {PostgresServer} from './server.ts';
import {type Sessions, sessionsSql, tooFew, type Way, wayOf} from './sessions.ts';
import {ownSession} from './timeouts.ts';

export interface Share {
	server: PostgresServer;
	/** Where its programs run beside the staging folder; undefined: docker exec serves. It is made while sessions are opened. */
	worker: Promise<Place | undefined>;
	/** How its databases get along with the sessions that there are. */
	way: Exclude<Way, 'not now'>;
	/** What the manifest says of the server. */
	describe: (quoting: readonly string[]) => Promise<Record<string, unknown>>;
	/** Of programs that speak SQL of their own: nothing ends their sessions. */
	environment: (database: string) => Promise<Record<string, string>>;
	/** A session that nothing ends. */
	open: (database: string, application: string) => Promise<Session>;
	/** Tries again, for a while, what the server refuses for want of sessions. */
	patiently: <Value>(work: () => Promise<Value>) => Promise<Value>;
}

const shares = onceWithin<SourceContext, Share>();

/** @param all sources of the run */
export async function shareOf(planned: PlannedDatabase, context: SourceContext, all: readonly PlannedSource[]): Promise<Share> {
	const key = serverOf(planned);
	const databases = all.filter(isDatabase).filter(each => serverOf(each) === key).length;
	return shares(context, key, async () => makeShare(planned, context, databases));
}

const serverOf = ({container, user, external, inside}: PlannedDatabase): string =>
	JSON.stringify(external ? [external, user] : [container.id, user, inside]);

async function makeShare(planned: PlannedDatabase, context: SourceContext, databases: number): Promise<Share> {
	const {container} = planned;
	const {signal, outage} = context;
	const patiently = patience(signal);
	const server = await reachServer(context, planned);
	await patiently(async () => assertClientFits(server));
	const wanted = {databases, isMoment: outage?.isMoment ?? false};
	const way = await patiently(async () => enough(server, wanted));
	return {
		server,
		worker: enterableWorker(context, server, container, signal),
		way,
		patiently,
		environment: server.isExternal
			? async database => patiently(async () => untimedEnvironment(server, database))
			: single(async () => patiently(async () => untimedEnvironment(server, await server.maintenance()))),
		describe: once(async quoting => patiently(async () => describeServer(server, quoting))),
		open: async (database, application) => patiently(async () => open(server, {database, application, signal})),
	};
}

/** @throws {CrowdedError} with numbers */
async function enough(server: PostgresServer, wanted: Parameters<typeof wayOf>[1]): Promise<Share['way']> {
	const [[answer = '{}'] = []] = await server.anywhere(`select ${sessionsSql}`);
	const sessions = JSON.parse(answer) as Sessions;
	const way = wayOf(sessions, wanted);
	if (way === 'not now') {
		const {message, hint} = tooFew(sessions, wanted, server.where);
		throw new CrowdedError(message, {hint});
	}

	return way;
}

/** How long all databases of a server together wait for others to end their sessions. */
const patienceMs = 2 * 60_000;
const pauseMs = 2000;

function patience(signal: AbortSignal): Share['patiently'] {
	let leftMs = patienceMs;
	let wasLetIn = false;
	return async work => {
		for (;;) {
			const began = Date.now();
			try {
				const value = await work();
				wasLetIn = true;
				return value;
			} catch (error) {
				if (leftMs <= 0 || !isCrowded(error, {wasLetIn})) {
					throw error;
				}

				await delay(pauseMs, undefined, {signal}).catch(() => signal.throwIfAborted());
			}

			leftMs -= Date.now() - began;
		}
	};
}

interface Opened {
	database: string;
	application: string;
	signal: AbortSignal;
}

async function open(server: PostgresServer, {database, application, signal}: Opened): Promise<Session> {
	const session = await openSession(server.client, {
		argv: ['psql', '-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', ...server.connection(database)],
		env: {PGAPPNAME: application},
		signal,
	});
	try {
		await session.ask(`${ownSession.join('; ')}; select 1;`, signal);
		return session;
	} catch (error) {
		await session.close();
		throw error;
	}
}

async function describeServer(server: PostgresServer, quoting: readonly string[]): Promise<Record<string, unknown>> {
	const [version, globals] = await Promise.all([
		succeed(server.client, {argv: ['pg_dump', '--version']}),
		server.maintenance().then(async database => dumpGlobals(server, database, quoting)),
	]);
	return {toolVersion: version.trim(), globals};
}
