/**
 * Locks that dead processes left in the repository. `restic unlock` removes those of *its own host name whose process is absent*, and those
 * that were not refreshed for half an hour, whoever they belong to. So it runs only under the dead one's own host name, and only while nobody
 * else has a lock that it might take for a stale one: the lock of a live process is never touched.
 */

import {readFileSync} from 'node:fs';
import {hostname} from 'node:os';
import type {Container} from '../../docker/container.ts';
import type {Self} from '../../docker/self.ts';
import {runOfWorker, runOfWorkerHost} from '../../docker/worker.ts';
import type {Lock, Restic} from '../restic/restic.ts';
import {hired} from '../runs/shell.ts';
import type {Workshop} from '../runs/workshop.ts';

/** restic takes a lock for stale after 30 minutes without a refresh; a live process refreshes its own every 5. */
const nearlyStaleMs = 25 * 60_000;

/** In a new worker, restic itself may have the very pid that the dead one had; the next time it has not. */
const tries = 3;

interface Dead {
	workshop: Workshop;
	/** A run of this agent that ended; never one of somebody else. */
	isOver: (run: string) => boolean;
	/** Host names of the containers in which this agent has lived. */
	hosts: readonly string[];
}

export interface Released {
	removed: Lock[];
	/** A dead one is left where restic finds a process of its id: another one, which may be gone the next time. */
	left: Array<Lock & {why: string; isDead: boolean}>;
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
	const judged = judge(locks, {
		ownHost: own,
		formerHosts: new Set(hosts.filter(host => host !== own && !livesIn(containers, host))),
		isAlive: runsRestic,
		isGone: run => isOver(run) && !workers.has(run),
		now: Date.now(),
	});
	const dead = judged.filter(({isDead}) => isDead);
	const doubtful = [...new Set(judged.filter(({isDoubtful}) => isDoubtful).map(({lock}) => `\`${lock.hostname}\``))];
	if (dead.length > 0 && doubtful.length > 0) {
		const warning = `locks of processes that were killed are left in the repository, because ${doubtful.join(', ')} has one that was not refreshed for long: make sure that nothing works there, then run \`restic unlock\``;
		return {removed: [], left: judged.map(({lock, why, isDead}) => ({...lock, why, isDead})), warning};
	}

	for (const host of new Set(dead.map(({lock}) => lock.hostname))) {
		await unlock(workshop, host, own);
	}

	const still = new Set(dead.length === 0 ? locks.map(({id}) => id) : (await workshop.restic().locks()).map(({id}) => id));
	return {
		removed: judged.filter(({lock, isDead}) => isDead && !still.has(lock.id)).map(({lock}) => lock),
		left: judged.filter(({lock}) => still.has(lock.id)).map(({lock, why, isDead}) => ({...lock, why, isDead})),
	};
}

interface Evidence {
	/** The host name of this container, where nobody else can have it. */
	ownHost: string | undefined;
	/** Those of earlier containers of this agent in which nothing runs any more, as the engine says. */
	formerHosts: ReadonlySet<string>;
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
	/** For people. */
	why: string;
}

/** Pure: whose lock each one is. Its age alone never proves anything. */
export function judge(locks: readonly Lock[], {ownHost, formerHosts, isAlive, isGone, now}: Evidence): Judged[] {
	const verdictOf = ({hostname: host, pid}: Lock): [isDead: boolean, why: string] => {
		const run = runOfWorkerHost(host);
		if (run !== undefined) {
			return isGone(run) ? [true, `run ${run} is over`] : [false, `run ${run} is under way, or another agent's`];
		}

		if (host === ownHost) {
			return isAlive(pid) ? [false, 'its process runs in this container'] : [true, 'its process does not run any more'];
		}

		return formerHosts.has(host) ? [true, 'an earlier container of this agent, which is gone'] : [false, 'not of this agent'];
	};

	return locks.map(lock => {
		const [isDead, why] = verdictOf(lock);
		return {lock, isDead, isDoubtful: !isDead && now - lock.time.getTime() > nearlyStaleMs, why};
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
export function ownHost({containerId}: Self): string | undefined {
	const host = hostname();
	return host.length >= 12 && containerId?.startsWith(host) ? host : undefined;
}

const stillOnes: ReadonlySet<string> = new Set(['exited', 'dead', 'created', 'removing']);

/** The host name of an earlier container is the beginning of its id. */
const livesIn = (containers: readonly Container[], host: string): boolean =>
	containers.some(({id, state}) => id.startsWith(host) && !stillOnes.has(state));

async function unlock(workshop: Workshop, host: string, own: string | undefined): Promise<void> {
	if (host === own) {
		await workshop.restic().unlock();
		return;
	}

	const run = runOfWorkerHost(host) ?? `unlock-${host}`;
	await hired(workshop, run, async workforce => {
		const worker = await workforce.repository([], 'read', host);
		await unlockAll(workshop.restic(worker.run), host);
	});
}

async function unlockAll(restic: Restic, host: string): Promise<void> {
	for (let attempt = 1; attempt <= tries; attempt++) {
		await restic.unlock();
		if (!(await restic.locks()).some(lock => lock.hostname === host)) {
			return;
		}
	}
}
