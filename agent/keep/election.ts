/**
 * One of the agents that share a repository looks after it, and no server chooses which. Who did it last is on record in the repository, and goes
 * first the next time; the others give it a head start, each another one, and find then that it is done. Where it is not, because that one is
 * gone, the first of them does it, and goes first from then on. Two that begin at once do it twice, one after the other: that harms nothing.
 */
import {createHash} from 'node:crypto';
import {setTimeout as delay} from 'node:timers/promises';
import {runId} from '../../base/ids.ts';
import {allowedShare} from '../../base/late.ts';
import type {DoneBy} from '../../base/results.ts';
import {tagValue} from '../repository/names.ts';
import {storeRecord} from '../repository/record.ts';
import {type UpkeepOperation, type Upkept, upkeptAmong, upkeptPath, upkeptTags} from '../repository/upkept.ts';
import type {Lock, Restic, Snapshot} from '../restic/restic.ts';

/** Longest head start, and longest of the times that come on top so that not all look at once. */
const longestHeadStartMs = 10 * 60_000;

/** Of the interval, where that is short. */
const headStartShare = 1 / 20;

/** How often it is looked whether another is still at work. */
const longestLookMs = 60_000;

/** A lock that nobody refreshes is no work. restic refreshes its own every 5 minutes. */
const deadLockMs = 31 * 60_000;

/** What another did counts for this share of an interval: nobody is later then than alerts allow (base/late.ts). */
const freshShare = allowedShare - 1;

/** Who filed nothing for two intervals, and for this long at least, is no longer waited for. */
const shortestMemoryMs = 48 * 3_600_000;

export interface Seen {
	/** Of all of Holdfast's own. */
	snapshots: readonly Snapshot[];
	locks: readonly Lock[];
}

export interface Candidate {
	/** Its id. */
	agent: string;
	operation: UpkeepOperation;
	/** When it was due, in milliseconds since 1970. */
	since: number;
	/** The longest time between two due times. */
	intervalMs: number;
	/** A lock of this agent's own, which keeps it from nothing. */
	isOwn: (lock: Lock) => boolean;
}

/** `ours`: do it now; `done`: another did it; `wait`: look again at that time. */
export type Verdict = {is: 'ours'; isShared: boolean} | {is: 'done'; by: Upkept} | {is: 'wait'; until: number};

/** Waits for the turn of this agent. Undefined: it is its turn. */
export type Turn = () => Promise<Upkept | undefined>;

/** Does the work, unless another has done it. @param turn undefined: whoever else did it */
export async function inTurn<Failure extends {isLocked: boolean}>(
	turn: Turn | undefined,
	work: () => Promise<Failure | undefined>,
): Promise<{by?: Upkept | undefined; failure?: Failure | undefined}> {
	// Where the repository does not answer, the work itself says it.
	const ask: Turn = async () => turn?.().catch(() => undefined);
	const by = await ask();
	if (by !== undefined) {
		return {by};
	}

	const failure = await work();
	if (turn === undefined || failure?.isLocked !== true) {
		return {failure};
	}

	// Another began at the same moment: its lock is waited for, and its record.
	const meanwhile = await ask();
	return meanwhile === undefined ? {failure: await work()} : {by: meanwhile};
}

export const doneBy = ({agent, host, at}: Upkept): DoneBy => ({agent, host, at: at.toISOString()});

/** Pure. */
export function elect({snapshots, locks}: Seen, {agent, operation, since, intervalMs, isOwn}: Candidate, now: number): Verdict {
	const records = upkeptAmong(snapshots, operation);
	const isFresh = ({at}: Upkept) => Math.abs(now - at.getTime()) <= intervalMs * freshShare;
	const by = records.find(record => record.agent !== agent && isFresh(record));
	if (by !== undefined) {
		return {is: 'done', by};
	}

	const memoryMs = Math.max(shortestMemoryMs, 2 * intervalMs);
	const isOther = ({tags, time}: Snapshot) => {
		const other = tagValue(tags, 'agent');
		return other !== undefined && other !== agent && now - time.getTime() < memoryMs;
	};
	if (!snapshots.some(isOther)) {
		return {is: 'ours', isShared: false};
	}

	const headStartMs = Math.min(longestHeadStartMs, intervalMs * headStartShare);
	const elected = records[0]?.agent;
	const waitMs = elected === agent ? 0 : (elected === undefined ? 0 : headStartMs) + headStartMs * placeOf(agent, since);
	const turn = since + waitMs;
	if (now < turn) {
		return {is: 'wait', until: turn};
	}

	const isAtWork = locks.some(lock => lock.exclusive && !isOwn(lock) && now - lock.time.getTime() < deadLockMs);
	return isAtWork && now < since + intervalMs * freshShare
		? {is: 'wait', until: now + Math.min(longestLookMs, headStartMs)}
		: {is: 'ours', isShared: true};
}

/** From 0 to 1, another for each agent, and for each time: nobody is always the last. */
const placeOf = (agent: string, since: number): number =>
	createHash('sha256')
		.update(`${agent} ${Math.floor(since / 60_000)}`)
		.digest()
		.readUInt32BE() /
	2 ** 32;

interface ElectionParts {
	agent: string;
	host: string;
	/** Where records are made whole. */
	folder: string;
	/** For looking: without a lock. */
	looking: Pick<Restic, 'snapshots' | 'locks'>;
	writing: Pick<Restic, 'backupStream' | 'forget'>;
	/** The longest time between two due times; undefined: it is not scheduled. */
	intervalMs: (operation: UpkeepOperation) => number | undefined;
	isOwn: (lock: Lock) => boolean;
	/** Whether anything may be added to the repository, and removed from it. */
	may: () => {add: boolean; remove: boolean};
	clock?: {now: () => number; sleep: (ms: number, signal?: AbortSignal) => Promise<void>};
}

export interface Election {
	/** For what is due by schedule. Resolves when it is this agent's turn, with undefined; or when another has done it. @throws {RepositoryError} */
	turn: (operation: UpkeepOperation, since: number, signal?: AbortSignal) => Promise<Upkept | undefined>;
	/** Puts on record that this agent did it, where there are others who want to know. @throws {RepositoryError} */
	record: (done: Pick<Upkept, 'operation' | 'readData'>) => Promise<void>;
	/** The newest record of whichever agent, of those for which it is true. @throws {RepositoryError} */
	newest: (operation: UpkeepOperation, is: (done: Upkept) => boolean) => Promise<Upkept | undefined>;
}

const realClock = {
	now: Date.now,
	/** Keeps no process alive: an agent that ends does not wait for its turn. */
	sleep: async (ms: number, signal?: AbortSignal) => delay(ms, undefined, {ref: false, ...(signal && {signal})}),
};

export function createElection({
	agent,
	host,
	folder,
	looking,
	writing,
	intervalMs,
	isOwn,
	may,
	clock = realClock,
}: ElectionParts): Election {
	const look = async (signal?: AbortSignal): Promise<Seen> => ({
		snapshots: await looking.snapshots(['holdfast'], signal),
		locks: await looking.locks(),
	});
	const candidate = (operation: UpkeepOperation, since: number, ms: number): Candidate => ({
		agent,
		operation,
		since,
		intervalMs: ms,
		isOwn,
	});
	return {
		async turn(operation, since, signal) {
			const ms = intervalMs(operation);
			while (ms !== undefined) {
				const verdict = elect(await look(signal), candidate(operation, since, ms), clock.now());
				if (verdict.is !== 'wait') {
					return verdict.is === 'done' ? verdict.by : undefined;
				}

				await clock.sleep(Math.max(1000, verdict.until - clock.now()), signal);
			}

			return undefined;
		},
		async record({operation, readData}) {
			if (!may().add) {
				return;
			}

			const snapshots = await looking.snapshots(['holdfast']);
			const others = snapshots.some(({tags}) => ![undefined, agent].includes(tagValue(tags, 'agent')));
			if (!others) {
				return;
			}

			const now = clock.now();
			const at = new Date(Math.floor(now / 1000) * 1000);
			await storeRecord(writing, {
				filename: upkeptPath(operation),
				content: JSON.stringify({operation, agent, host, at, readData}),
				folder,
				name: runId(now),
				tags: upkeptTags({operation, agent, readData}),
				time: at,
				host,
			});
			// Now that the new one is there: whoever is killed in between leaves one too many, and takes it away the next time.
			const older = upkeptAmong(snapshots, operation).flatMap(each => (each.agent === agent ? [each.snapshot] : []));
			if (older.length > 0 && may().remove) {
				await writing.forget(older);
			}
		},
		async newest(operation, is) {
			return upkeptAmong(await looking.snapshots(['holdfast']), operation).find(is);
		},
	};
}
