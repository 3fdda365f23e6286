/**
 * Locks that dead processes left in the repository. `restic unlock` removes those of *its own host name whose process is absent*, and those
 * that were not refreshed for half an hour, whoever they belong to. So it runs only under the dead one's own host name, and only while nobody
 * else has a lock that it might take for a stale one: the lock of a live process is never touched.
 */
import {existsSync} from 'node:fs';
import {hostname} from 'node:os';
import {hireWorkers, runOfWorker, runOfWorkerHost} from '../docker/worker.ts';
import type {Workshop} from './backup.ts';
import type {Lock, Restic} from './restic/restic.ts';

/** restic takes a lock for stale after 30 minutes without a refresh; a live process refreshes its own every 5. */
const nearlyStaleMs = 25 * 60_000;

/** In a new worker, restic itself may have the very pid that the dead one had; the next time it has not. */
const tries = 3;

interface Dead {
	workshop: Workshop;
	/** A run of this agent that ended; never one of somebody else. */
	isOver: (run: string) => boolean;
}

/** Removes the locks that dead processes of this agent left. @returns why some were left, for people */
export async function releaseLocks({workshop, isOver}: Dead): Promise<string | undefined> {
	const locks = await workshop.restic().locks();
	if (locks.length === 0) {
		return undefined;
	}

	const workers = new Set((await workshop.engine.list()).map(runOfWorker));
	const {dead, doubtful} = judge(locks, {
		ownHost: ownHost(workshop),
		isAlive: pid => existsSync(`/proc/${pid}`),
		isGone: run => isOver(run) && !workers.has(run),
		now: Date.now(),
	});
	if (dead.length > 0 && doubtful.length > 0) {
		return `locks of processes that were killed are left in the repository, because ${doubtful.map(host => `\`${host}\``).join(', ')} has one that was not refreshed for long: make sure that nothing works there, then run \`restic unlock\``;
	}

	for (const host of dead) {
		await unlock(workshop, host);
	}

	return undefined;
}

interface Evidence {
	/** The host name of this container, where nobody else can have it. */
	ownHost: string | undefined;
	/** Whether a process of this container exists. */
	isAlive: (pid: number) => boolean;
	/** A run of this agent that ended, and whose workers are removed. */
	isGone: (run: string) => boolean;
	now: number;
}

/**
 * Pure. Host names of locks.
 * @returns `dead`: whose processes are known to be gone. `doubtful`: an unlock anywhere would remove theirs, and nobody knows whether they live
 */
export function judge(locks: readonly Lock[], {ownHost, isAlive, isGone, now}: Evidence): {dead: string[]; doubtful: string[]} {
	const isDead = ({hostname: host, pid}: Lock): boolean => {
		const run = runOfWorkerHost(host);
		return run === undefined ? host === ownHost && !isAlive(pid) : isGone(run);
	};

	const hosts = (which: (lock: Lock) => boolean) => [...new Set(locks.filter(which).map(lock => lock.hostname))];
	return {
		dead: hosts(isDead),
		doubtful: hosts(lock => !isDead(lock) && now - lock.time.getTime() > nearlyStaleMs),
	};
}

/** The engine's choice is the beginning of the container's id. A name that a person chose may be another container's too. */
function ownHost({self}: Workshop): string | undefined {
	const host = hostname();
	return host.length >= 12 && self.containerId?.startsWith(host) ? host : undefined;
}

async function unlock(workshop: Workshop, host: string): Promise<void> {
	const run = runOfWorkerHost(host);
	if (run === undefined) {
		await workshop.restic().unlock();
		return;
	}

	const workforce = await hireWorkers({...workshop, run});
	try {
		const worker = await workforce.repository([], 'read');
		await unlockAll(workshop.restic(worker.run), host);
	} finally {
		await workforce.dismiss();
	}
}

async function unlockAll(restic: Restic, host: string): Promise<void> {
	for (let attempt = 1; attempt <= tries; attempt++) {
		await restic.unlock();
		if (!(await restic.locks()).some(lock => lock.hostname === host)) {
			return;
		}
	}
}
