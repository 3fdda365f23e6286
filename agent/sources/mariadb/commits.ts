/**
 * Nobody commits on a server while the dumps of several of its databases begin: so all of them show one state, although each has a transaction
 * of its own. MariaDB has nothing like an exported snapshot.
 */
import {explain, PinBlockedError} from '../../../base/errors.ts';
import {openSession} from '../session.ts';
import type {PlannedSource, SourceContext} from '../source.ts';
import {batch} from './client.ts';
import type {MariadbServer} from './server.ts';

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

/** The same for all databases of one container in one run. Undefined where there is only one: its transaction is all of it. */
export function commitsOf(planned: PlannedSource, all: readonly PlannedSource[]): Commits | undefined {
	const {container, kind} = planned;
	if (all.filter(other => other.kind === kind && other.container.id === container.id).length < 2) {
		return undefined;
	}

	const known = runs.get(all) ?? new Map<string, Commits>();
	runs.set(all, known);
	const commits = known.get(container.id) ?? createCommits();
	known.set(container.id, commits);
	return commits;
}

function createCommits(): Commits {
	let inside = 0;
	let holding: Promise<Held | undefined> | undefined;
	const leave = (): boolean => {
		inside--;
		return inside === 0;
	};

	return {
		async hold(server, {signal, tell, outage}) {
			inside++;
			holding ??= lock(server, {signal, tell, ...(outage && {outage})});
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

async function lock(server: MariadbServer, {signal, tell, outage}: Context): Promise<Held | undefined> {
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
			throw new PinBlockedError(`the server ${server.where} cannot hold its commits: somebody has locked tables, or is writing`, {
				cause: error,
			});
		}

		tell({
			type: 'warning',
			message: `the databases of the server ${server.where} are each of an instant of its own, a moment apart, because ${explain(error)}`,
		});
		return undefined;
	}
}
