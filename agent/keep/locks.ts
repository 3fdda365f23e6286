/**
 * Locks that dead processes left in the repository. `restic unlock` removes those of *its own host name whose process is absent*, and those
 * that were not refreshed for half an hour, whoever they belong to. So it runs only under the dead one's own host name, and only while nobody
 * else has a lock that it might take for a stale one: the lock of a live process is never touched.
 */

import {readFileSync} from 'node:fs';
import {hostname} from 'node:os';
import {basename} from 'node:path';
import type {Place} from '../../base/command.ts';
import {RepositoryError} from '../../base/errors.ts';
import {here} from '../../base/here.ts';
import {runId} from '../../base/ids.ts';
import type {Container} from '../../docker/container.ts';
import type {Self} from '../../docker/self.ts';
import {livesInAnother, runOfWorker, runOfWorkerHost} from '../../docker/worker.ts';
import type {Lock, Restic} from '../restic/restic.ts';
import {hired} from '../runs/shell.ts';
import type {Workshop} from '../runs/workshop.ts';

/** restic takes a lock for stale after 30 minutes without a refresh; a live process refreshes its own every 5. */
const nearlyStaleMs = 25 * 60_000;

/** From then on restic takes a lock for stale by itself, whoever unlocks; a little later, for clocks that differ. */
const staleMs = 31 * 60_000;

/** In a new worker, restic itself may have the very pid that the dead one had, and has not the next time; or what keeps the worker may have it: another worker is tried. */
const tries = 3;

/** Somebody else uses the repository. */
export const isLocked = (error: unknown): boolean => error instanceof RepositoryError && error.problem === 'locked';

interface Dead {
	workshop: Workshop;
	/** A run of this agent that ended; never one of somebody else. */
	isOver: (run: string) => boolean;
	/** Host names of the containers in which this agent has lived. */
	hosts: ReadonlyArray<{host: string; isShared: boolean}>;
}

export interface Released {
	removed: Lock[];
	/** A dead one is left where restic finds a process of its id: another one, which may be gone the next time. */
	left: Array<Lock & {why: string; isDead: boolean}>;
	/** When one that is left is known to be dead, unless it is refreshed until then: milliseconds since 1970. */
	ripeAt?: number | undefined;
	/** Why locks of the dead were left, for people. */
	warning?: string | undefined;
}

/** Removes the locks that dead processes of this agent left. */
export async function releaseLocks({workshop, isOver, hosts}: Dead): Promise<Released> {
	const locks = await workshop.restic().locks();
	if (locks.length === 0) {
		return {removed: [], left: []};
	}

	const containers = await workshop.engine.list();
	const workers = new Set(containers.map(runOfWorker));
	const own = ownHost(workshop.self);
	const isQuiet = hosts.some(({host, isShared}) => isShared && host === hostname()) && (await isQuietHere(workshop, containers));
	const judged = judge(locks, {
		ownHost: own,
		formerHosts: new Set(hosts.flatMap(({host, isShared}) => (isShared || host === own || livesIn(containers, host) ? [] : [host]))),
		sharedHosts: new Set(hosts.flatMap(({host, isShared}) => (isShared ? [host] : []))),
		quietHosts: new Set(isQuiet ? [hostname()] : []),
		isAlive: runsRestic,
		isGone: run => isOver(run) && !workers.has(run),
		now: Date.now(),
	});
	const ripeAt = ripeAmong(judged);
	const dead = judged.filter(({isDead}) => isDead);
	const doubtful = [...new Set(judged.filter(({isDoubtful}) => isDoubtful).map(({lock}) => `\`${lock.hostname}\``))];
	if (dead.length > 0 && doubtful.length > 0) {
		const warning = `locks of processes that were killed are left in the repository, because ${doubtful.join(', ')} has one that was not refreshed for long: make sure that nothing works there, then run \`restic unlock\``;
		return {removed: [], left: judged.map(({lock, why, isDead}) => ({...lock, why, isDead})), warning};
	}

	for (const host of new Set(dead.map(({lock, isShared}) => (isShared ? undefined : lock.hostname)))) {
		await unlock(workshop, host, {own, judged});
	}

	const still = new Set(dead.length === 0 ? locks.map(({id}) => id) : (await workshop.restic().locks()).map(({id}) => id));
	return {
		removed: judged.filter(({lock, isDead}) => isDead && !still.has(lock.id)).map(({lock}) => lock),
		left: judged.filter(({lock}) => still.has(lock.id)).map(({lock, why, isDead}) => ({...lock, why, isDead})),
		ripeAt,
	};
}

/** Pure. */
const ripeAmong = (judged: readonly Judged[]): number | undefined => {
	const times = judged.filter(({isShared, isDead}) => isShared && !isDead).map(({lock}) => lock.time.getTime() + staleMs);
	return times.length === 0 ? undefined : Math.min(...times);
};

interface Evidence {
	/** The host name of this container, where nobody else can have it. */
	ownHost: string | undefined;
	/** Those of earlier containers of this agent in which nothing runs any more, as the engine says. */
	formerHosts: ReadonlySet<string>;
	/** Those that this agent or its workers had, and somebody else may have. */
	sharedHosts: ReadonlySet<string>;
	/** Those of them that only containers of this engine can have, and restic runs in none of these but perhaps in this one. */
	quietHosts: ReadonlySet<string>;
	/** Whether a process of this container, of that id, may be the one that has the lock. */
	isAlive: (pid: number) => boolean;
	/** A run of this agent that ended, and whose workers are removed. */
	isGone: (run: string) => boolean;
	now: number;
}

export interface Judged {
	lock: Lock;
	/** Its process is known to be gone. */
	isDead: boolean;
	/** An unlock anywhere would remove it, and nobody knows whether its process lives. */
	isDoubtful: boolean;
	/** Its host name is this agent's, and perhaps another's: only that nobody refreshes it tells that its process is gone. */
	isShared: boolean;
	/** For people. */
	why: string;
}

/** Pure: whose lock each one is. Of a name that is not this agent's, its age alone never proves anything. */
export function judge(locks: readonly Lock[], {ownHost, formerHosts, sharedHosts, quietHosts, isAlive, isGone, now}: Evidence): Judged[] {
	const ageOf = ({time}: Lock) => now - time.getTime();
	/** Where the host name is another container's, the user's tells the run. */
	const runNamed = ({hostname: host, username}: Lock) => (sharedHosts.has(host) ? runOfWorkerHost(username) : undefined);
	const verdictOf = (lock: Lock): [isDead: boolean, why: string] => {
		const {hostname: host, pid} = lock;
		const run = runOfWorkerHost(host);
		if (run !== undefined) {
			return isGone(run) ? [true, `run ${run} is over`] : [false, `run ${run} is under way, or another agent's`];
		}

		const named = runNamed(lock);
		if (named !== undefined && isGone(named)) {
			return [true, `run ${named} is over`];
		}

		if (host === ownHost) {
			return isAlive(pid) ? [false, 'its process runs in this container'] : [true, 'its process does not run any more'];
		}

		if (quietHosts.has(host) && !isAlive(pid)) {
			return [true, 'a host name that only containers of this engine have, and restic runs in none of them'];
		}

		if (sharedHosts.has(host)) {
			return ageOf(lock) > staleMs
				? [true, 'a host name of this agent, and nobody has refreshed it for half an hour']
				: [false, 'a host name of this agent, and perhaps of others: it is removed when nobody refreshes it for half an hour'];
		}

		return formerHosts.has(host) ? [true, 'an earlier container of this agent, which is gone'] : [false, 'not of this agent'];
	};

	return locks.map(lock => {
		const [isDead, why] = verdictOf(lock);
		const named = runNamed(lock);
		const isShared = sharedHosts.has(lock.hostname) && (named === undefined || !isGone(named));
		return {lock, isDead, isShared, isDoubtful: !isDead && !isShared && ageOf(lock) > nearlyStaleMs, why};
	});
}

/** The ids of an earlier life of this container are given again, to threads too: what is no restic has no lock. */
function runsRestic(pid: number): boolean {
	try {
		return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'restic';
	} catch {
		return false;
	}
}

/** The engine's choice is the beginning of the container's id. A name that a person chose may be another container's too. */
function ownHost({containerId}: Self): string | undefined {
	const host = hostname();
	return host.length >= 12 && containerId?.startsWith(host) ? host : undefined;
}

/** What stands in the locks of this agent's own processes; and in the network of another container in those of its workers, too. */
export const lockHost = (self: Self): {name: string; isShared: boolean} => ({name: hostname(), isShared: ownHost(self) === undefined});

/** Here, where the locks of this container tell whose they are; else in a worker, whose do: one that is left shuts everybody out. */
export const withNamedLocks = async <Value>(workshop: Workshop, run: string, work: (place: Place) => Promise<Value>): Promise<Value> =>
	lockHost(workshop.self).isShared
		? hired(workshop, run, async workforce => work((await workforce.repository([], 'read')).run))
		: work(here);

/**
 * In the network of a container that a person gave no name, the host name is the beginning of that one's id: whoever has it is a container of this
 * engine, and shows its processes. Where the name is chosen, another machine may have it, too.
 */
async function isQuietHere({engine, self}: Workshop, containers: readonly Container[]): Promise<boolean> {
	const host = hostname();
	if (!(livesInAnother(self) && isMadeByEngine.test(host))) {
		return false;
	}

	const isNamed = ({id, livesIn = []}: Container) => [id, ...livesIn].some(each => each.startsWith(host));
	const others = containers.filter(each => each.id !== self.containerId && isNamed(each) && !stillOnes.has(each.state));
	const processes = await Promise.all(others.map(async ({id}) => engine.top(id).catch(() => undefined)));
	return processes.every(list => list?.every(({argv}) => !argv.some(argument => basename(argument) === 'restic')) === true);
}

const isMadeByEngine = /^[0-9a-f]{12}$/;

const stillOnes: ReadonlySet<string> = new Set(['exited', 'dead', 'created', 'removing']);

/** The host name of an earlier container is the beginning of its id. */
const livesIn = (containers: readonly Container[], host: string): boolean =>
	containers.some(({id, state}) => id.startsWith(host) && !stillOnes.has(state));

/** @param host whose locks; undefined: those that are stale by their age */
async function unlock(
	workshop: Workshop,
	host: string | undefined,
	{own, judged}: {own: string | undefined; judged: readonly Judged[]},
): Promise<void> {
	if (host !== undefined && host === own) {
		await workshop.restic().unlock();
		return;
	}

	// There the worker has a name that others may have, and restic would take each of theirs for dead whose process it does not see.
	const isNamed = !livesInAnother(workshop.self) || workshop.offline;
	const name = isNamed ? host : hostname();
	if (judged.some(({lock, isDead}) => !isDead && lock.hostname === name)) {
		return;
	}

	const run = (host === undefined ? undefined : runOfWorkerHost(host)) ?? `unlock-${host ?? runId(Date.now())}`;
	for (let attempt = 1; attempt <= tries; attempt++) {
		const isLeft = await hired(workshop, run, async workforce => {
			const worker = await workforce.repository([], 'read', host);
			return isLeftAfterUnlock(workshop.restic(worker.run), host);
		});
		if (!isLeft) {
			return;
		}
	}
}

async function isLeftAfterUnlock(restic: Restic, host: string | undefined): Promise<boolean> {
	await restic.unlock();
	if (host === undefined) {
		return false;
	}

	const isLeft = async () => (await restic.locks()).some(lock => lock.hostname === host);
	if (!(await isLeft())) {
		return false;
	}

	await restic.unlock();
	return isLeft();
}

/** Pure: a lock of this agent, of a run or of its container. @param knows whether a run is this agent's */
export const isLockOf =
	(knows: (run: string) => boolean) =>
	({hostname: host}: Pick<Lock, 'hostname'>): boolean => {
		const run = runOfWorkerHost(host);
		return run === undefined ? host === hostname() : knows(run);
	};
