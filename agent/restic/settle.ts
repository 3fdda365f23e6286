/**
 * A new repository on a server may be made by several agents at the same moment: restic knows no lock before there is a key, and of two whose `init`
 * went well the later one's configuration stays, and the key of the other opens nothing. So nobody writes to a new one before all who can be at it are
 * through; then whichever key opens the configuration stays, which is the same for all, and the others are removed, as long as nothing is stored.
 */
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {explain, RepositoryError} from '../../base/errors.ts';
import type {Key, Restic} from './restic.ts';

/** Between two requests of a restic that makes one: it takes a second of a processor for its key. */
const quietMs = 10_000;

/** Who is at it longer is ended by its own agent (`answerWithinMs`). */
const makingMs = 60_000;

/** Clocks differ. */
const youngMs = 2 * 60_000;

export type Settling = Pick<Restic, 'id' | 'keys' | 'removeKey' | 'isEmpty'>;

export interface SettleOptions {
	/** What was opened just now; undefined: one that this agent has just made, or that cannot be opened. */
	id?: string | undefined;
	/** This agent has just made it. */
	isMade: boolean;
	/** The folder that it is in, which only one at a time makes (`sole.ts`). */
	folder: string | undefined;
	signal?: AbortSignal | undefined;
	clock?: {now: () => number; sleep: (ms: number) => Promise<unknown>};
}

const damagedKey = /config or key ([0-9a-f]{8,64}) is damaged/;

/** The key that does not open the configuration, of an error that says so. */
export const damagedIn = (error: unknown): string | undefined =>
	error instanceof RepositoryError && error.problem === 'failed' ? damagedKey.exec(explain(error))?.[1] : undefined;

/** @returns the repository's id @throws {RepositoryError} where it cannot be opened, and nothing may be done about it */
export async function settle(restic: Settling, {id, isMade, folder, signal, clock = realClock(signal)}: SettleOptions): Promise<string> {
	const opened = folder !== undefined ? (id ?? (await openedBy(restic, signal))) : undefined;
	const ids = folder === undefined ? [] : await readdir(join(folder, 'keys')).catch(() => []);
	if (opened !== undefined && ids.length <= 1) {
		return opened;
	}

	const begun = clock.now();
	const isYoung = ({created}: Key) => Math.abs(clock.now() - created.getTime()) < youngMs;
	let keys = await keysOf(restic);
	if (folder === undefined && (isMade || keys?.some(isYoung))) {
		await clock.sleep(quietMs);
		keys = await keysOf(restic);
	}

	if (keys !== undefined && (keys.length === 1 || !keys.some(isYoung))) {
		return restic.id(signal);
	}

	if (folder === undefined) {
		await clock.sleep(Math.max(0, begun + makingMs - clock.now()));
	}

	const left = await removeWorthless(restic, ids, signal).catch((error: unknown) => error);
	return restic.id(signal).catch((error: unknown) => {
		throw damagedIn(error) === undefined || left === undefined ? error : left;
	});
}

const openedBy = async (restic: Settling, signal: AbortSignal | undefined): Promise<string | undefined> =>
	restic.id(signal).catch((error: unknown) => {
		if (damagedIn(error) === undefined) {
			throw error;
		}

		return undefined;
	});

async function removeWorthless(restic: Settling, ids: readonly string[], signal: AbortSignal | undefined): Promise<void> {
	const good = await goodKey(restic, ids.length === 0 ? beginnings() : ids.filter(name => /^[0-9a-f]{64}$/.test(name)), signal);
	if (good !== undefined && (await restic.isEmpty(good))) {
		await removeOthers(restic, good);
	}
}

/** Undefined: it is opened by none of those that restic tries. */
const keysOf = async (restic: Settling): Promise<Key[] | undefined> =>
	restic.keys().catch((error: unknown) => {
		if (damagedIn(error) === undefined) {
			throw error;
		}

		return undefined;
	});

const digits = [...'0123456789abcdef'];

const pairs = digits.flatMap(first => digits.map(second => first + second));

/** Each agent in another order: what the first of them finds is found by all. */
const beginnings = (): string[] => [...shuffled(digits), ...shuffled(pairs)];

const shuffled = (values: readonly string[]): string[] =>
	values
		.map(value => ({value, at: Math.random()}))
		.toSorted((a, b) => a.at - b.at)
		.map(({value}) => value);

/**
 * The beginning of the id of a key that opens the configuration. Nobody lists keys who has none that does; but restic takes the beginning of an id for
 * a hint where only one key has it.
 */
async function goodKey(restic: Settling, hints: readonly string[], signal: AbortSignal | undefined): Promise<string | undefined> {
	for (const hint of [undefined, ...hints]) {
		signal?.throwIfAborted();
		try {
			await restic.id(signal, hint);
			const current = (await restic.keys(hint)).find(({isCurrent}) => isCurrent);
			return current?.id;
		} catch (error) {
			if (damagedIn(error) === undefined) {
				throw error;
			}
		}
	}

	return undefined;
}

/** Those that the password opens, and that do not open the configuration. One of another password is somebody's. */
async function removeOthers(restic: Settling, good: string): Promise<void> {
	for (const {id, isCurrent} of await restic.keys(good)) {
		const damaged = isCurrent
			? undefined
			: await restic.id(undefined, id).then(
					() => undefined,
					(error: unknown) => damagedIn(error),
				);
		if (damaged?.startsWith(id)) {
			await restic.removeKey(id, good).catch(async (error: unknown) => {
				// Another agent does the same.
				if ((await restic.keys(good)).some(key => key.id === id)) {
					throw error;
				}
			});
		}
	}
}

const realClock = (signal: AbortSignal | undefined) => ({
	now: Date.now,
	sleep: async (ms: number) => delay(ms, undefined, signal && {signal}),
});
