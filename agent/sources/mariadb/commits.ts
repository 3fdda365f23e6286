/**
 * Nobody commits on a server while the dumps of several of its databases begin: so all of them show one state, although each has a transaction
 * of its own. MariaDB has nothing like an exported snapshot.
 */
import {setTimeout as delay} from 'node:timers/promises';
import {explain, PinBlockedError, RunError} from '../../../base/errors.ts';
import {printable} from '../../../base/printable.ts';
import {openSession} from '../session.ts';
import type {PlannedSource, SourceContext} from '../source.ts';
import {batch} from './client.ts';
import type {MariadbServer} from './server.ts';
import {endThatSession, mend, whoHolds} from './waits.ts';

type Context = Pick<SourceContext, 'signal' | 'tell' | 'outage'>;

export interface Commits {
	/** Those who enter together are let in together. @throws {PinBlockedError} when somebody's lock is in the way */
	hold: (server: MariadbServer, context: Context) => Promise<void>;
	/** The last one to leave lets commits go on. @throws when they went on before */
	release: () => Promise<void>;
}

/** A server that is asked nothing for so long ends the session, and the lock with it: whatever becomes of the agent. */
const longestSeconds = 15;

const releaseMs = 5000;

/** Whoever holds what is needed has so long to let go. */
const patienceSeconds = 3;

/** Both wait for statements that write, and for locked tables; the first for no reader (https://mariadb.com/kb/en/backup-stage/). */
const lockSql = {
	mariadb: 'backup stage start; backup stage block_commit',
	mysql: 'flush tables with read lock',
};

const runs = new WeakMap<readonly PlannedSource[], Map<string, Commits>>();

/**
 * The same for all databases of one container in one run. Undefined where there is only one: its transaction is all of it.
 *
 * @param limitMs how long it is tried where nobody stands still for it
 */
export function commitsOf(planned: PlannedSource, all: readonly PlannedSource[], limitMs: number): Commits | undefined {
	const {container, kind} = planned;
	if (all.filter(other => other.kind === kind && other.container.id === container.id).length < 2) {
		return undefined;
	}

	const known = runs.get(all) ?? new Map<string, Commits>();
	runs.set(all, known);
	const commits = known.get(container.id) ?? createCommits(limitMs);
	known.set(container.id, commits);
	return commits;
}

function createCommits(limitMs: number): Commits {
	let inside = 0;
	let holding: Promise<Held | undefined> | undefined;
	const leave = (): boolean => {
		inside--;
		return inside === 0;
	};

	return {
		async hold(server, {signal, tell, outage}) {
			inside++;
			holding ??= lockInTime(server, {signal, tell, ...(outage && {outage})}, limitMs);
			try {
				await holding;
			} catch (error) {
				if (leave()) {
					holding = undefined;
				}

				throw error;
			}
		},
		async release() {
			if (leave()) {
				const held = await holding;
				holding = undefined;
				await held?.release();
			}
		},
	};
}

interface Held {
	/** @throws when it was over before */
	release: () => Promise<void>;
}

/**
 * MySQL's `flush` waits for whoever reads, and one that has waited in vain leaves a mark: until that reader has ended, everybody who comes after it waits
 * (https://dev.mysql.com/doc/refman/8.4/en/flush.html#flush-tables-with-read-lock).
 */
async function assertNobodyReads({flavour, query, where}: MariadbServer): Promise<void> {
	const [[id, user = '', seconds] = []] =
		flavour === 'mysql'
			? await query(
					`select id, user, time from information_schema.processlist where command = 'Query' and time >= ${patienceSeconds} and id <> connection_id() and user <> 'system user' order by time desc limit 1`,
				)
			: [];
	if (id !== undefined) {
		throw new PinBlockedError(
			`the server ${where} cannot hold its commits: session ${id} (\`${printable(user)}\`) has been at one statement for ${seconds} s, and all others would wait for it`,
			{hint: endThatSession},
		);
	}
}

/** Each try that waits keeps others from writing: in between they have so long for themselves. */
const longestPauseMs = 10_000;

/** @throws {PinBlockedError} where somebody stands still for it, who must be let go on before the next try */
async function lockInTime(server: MariadbServer, context: Context, limitMs: number): Promise<Held | undefined> {
	const {signal, outage} = context;
	const deadline = outage?.isMoment === false ? Date.now() + limitMs : undefined;
	const pauseMs = Math.min(longestPauseMs, limitMs / 4);
	for (;;) {
		try {
			return await lock(server, context);
		} catch (error) {
			if (!(error instanceof PinBlockedError) || deadline === undefined) {
				throw error;
			}

			if (Date.now() + pauseMs >= deadline) {
				throw new RunError(`${error.message}; it was tried for ${limitMs / 1000} s`, {hint: mend('end that session')});
			}
		}

		await delay(pauseMs, undefined, {signal});
	}
}

async function lock(server: MariadbServer, {signal, tell, outage}: Context): Promise<Held | undefined> {
	await assertNobodyReads(server);
	const begun = Date.now();
	const session = await openSession(server.client, {argv: [server.programs.client, ...batch, '--unbuffered'], signal});
	try {
		await session.ask(
			`set session lock_wait_timeout = ${patienceSeconds}, wait_timeout = ${longestSeconds}; ${lockSql[server.flavour]}; select 1;`,
			signal,
		);
		const since = Date.now();
		return {
			async release() {
				try {
					await session.ask('select 2;', AbortSignal.timeout(releaseMs));
				} finally {
					await session.close();
					outage?.onHeld(Date.now() - since);
				}
			},
		};
	} catch (error) {
		await session.close();
		signal.throwIfAborted();
		// 1205: a lock was waited for too long.
		if (explain(error).includes('ERROR 1205')) {
			// Those who write waited behind it.
			outage?.onHeld(Date.now() - begun);
			throw new PinBlockedError(
				`the server ${server.where} cannot hold its commits: somebody has locked tables, or is writing; ${await whoHolds(server)}`,
				{hint: endThatSession},
			);
		}

		tell({
			type: 'warning',
			message: `the databases of the server ${server.where} are each of an instant of its own, a moment apart, because ${explain(error)}`,
		});
		return undefined;
	}
}
