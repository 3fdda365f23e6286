/**
 * What folders of the host really are: a link, or a folder that is mounted a second time, has another name and the same files. A worker that mounts
 * them read-only sees it in its own `/proc/self/mountinfo`. Each path is looked at once for each container that mounts it, and again for a run: a link
 * may lead elsewhere by then, and a container has what it led to at its start.
 */
import {readFile} from 'node:fs/promises';
import {explain} from '../base/errors.ts';
import type {Container} from './container.ts';
import {type Anchor, hostNamesOf, runAnchors} from './host-names.ts';
import {type AskMounts, hasInstead, hasNow} from './mounted-in.ts';
import {readMountinfo} from './mountinfo.ts';
import {type Found, isAstray, isSameFolder, type Known, theEngine, wantedPaths, withNames} from './seen.ts';
import {type Looked, lookAt} from './sights.ts';
import {hostFolderOf, inside} from './storage.ts';
import type {Workforce} from './worker.ts';

export interface Seen {
	/** All of the engine, each mount with all names of its storage. */
	containers: Container[];
	/** Why nobody could look: folders of the host are told apart by their paths alone. */
	unseen?: string | undefined;
}

/** @param maximumAgeMs what was seen longer ago is looked at again; by default only what was never seen */
export type Look = (containers: readonly Container[], maximumAgeMs?: number) => Promise<Seen>;

interface LookOptions extends AskMounts {
	hire: () => Promise<Workforce>;
	/** The engine's own folder on the host. */
	dataRoot: string;
	/** What is mounted in the agent's own container. */
	own?: () => Promise<string>;
	/** In whom a program is run at the first look, to ask what it has of a folder that is no link: another may have been put in its place. */
	isAsked?: (container: Container) => boolean;
}

const mostAtOnce = 100;

/** After a failure nobody is sent again before, and after each further one not for twice as long: a folder on a server that is away may take a minute to fail. */
const firstPauseMs = 5 * 60_000;
const longestPauseMs = 6 * 3_600_000;

/** Who is looked at in one round. */
interface Round extends Pick<AskMounts, 'mountsIn'> {
	/** By container and folder of the host: where it is mounted. */
	places: ReadonlyMap<string, string>;
	asked: ReadonlySet<string>;
}

type Wanted = ReadonlyMap<string, ReadonlySet<string>>;

export function createLook({
	hire,
	dataRoot,
	own = async () => readFile('/proc/self/mountinfo', 'utf8'),
	isAsked = () => true,
	...asking
}: LookOptions): Look {
	const volumes = inside(dataRoot, 'volumes');
	const known = new Map<string, Known>();
	/** Of all; and of single folders, by path. */
	let failure: Failure | undefined;
	const hidden = new Map<string, Failure>();
	let last: Promise<unknown> = Promise.resolve();

	const look = async (paths: readonly string[]): Promise<Looked> => {
		const workforce = await hire();
		try {
			return await lookAt(workforce, paths);
		} finally {
			await workforce.dismiss();
		}
	};

	const anchors = async (): Promise<Anchor[]> => [
		...[...known].flatMap(([path, {found, by}]) => (by.has(theEngine) && found !== undefined ? [{path, is: found.own}] : [])),
		...runAnchors(readMountinfo(await own().catch(() => ''))),
	];

	const refresh = async (containers: readonly Container[], maximumAgeMs: number): Promise<void> => {
		const wanted = wantedPaths(containers, volumes);
		forget(wanted);
		const now = Date.now();
		const due = [...wanted].filter(([path, ids]) => (hidden.get(path)?.until ?? 0) <= now && isDue(path, ids, now - maximumAgeMs));
		if (due.length === 0 || (failure !== undefined && failure.until > now)) {
			return;
		}

		try {
			const round = {
				places: placesOf(containers),
				asked: new Set(containers.filter(isAsked).map(({id}) => id)),
				mountsIn: eachOnce(asking.mountsIn),
			};
			// The host's own names first: the others are told by them.
			const ordered = due.toSorted(([, a], [, b]) => Number(b.has(theEngine)) - Number(a.has(theEngine)));
			for (let from = 0; from < ordered.length; from += mostAtOnce) {
				await lookAtSome(ordered.slice(from, from + mostAtOnce), round, now);
			}

			failure = undefined;
		} catch (error) {
			failure = failureAfter(failure, error, Date.now());
		}
	};

	/** What nobody mounts any more. */
	const forget = (wanted: Wanted): void => {
		for (const [path, {by}] of known) {
			const still = wanted.get(path);
			if (still === undefined) {
				known.delete(path);
			} else {
				for (const id of by.keys()) {
					if (!still.has(id)) {
						by.delete(id);
					}
				}
			}
		}

		for (const path of hidden.keys()) {
			if (!wanted.has(path)) {
				hidden.delete(path);
			}
		}
	};

	/** For one of them it was never seen; or not since then, or it leads elsewhere by now. What the engine is asked for stays as it is. */
	const isDue = (path: string, ids: ReadonlySet<string>, since: number): boolean => {
		const entry = known.get(path);
		return (
			entry === undefined ||
			[...ids].some(id => !entry.by.has(id)) ||
			(!ids.has(theEngine) && (entry.at < since || [...ids].some(id => isAstray(entry, id))))
		);
	};

	const lookAtSome = async (batch: ReadonlyArray<readonly [string, ReadonlySet<string>]>, round: Round, now: number): Promise<void> => {
		const {sights: seen, unseen} = await look(batch.map(([path]) => path));
		for (const [path] of batch) {
			const why = unseen.get(path);
			why === undefined ? hidden.delete(path) : hidden.set(path, failureAfter(hidden.get(path), why, now));
		}

		const sights = batch.flatMap(([path, ids]) => (unseen.has(path) ? [] : [{path, ids, sight: seen.get(path)}]));
		const ofEngine = sights.flatMap(({path, ids, sight}) => (sight !== undefined && ids.has(theEngine) ? [{path, is: sight.own}] : []));
		const all = [...ofEngine, ...(await anchors())];
		for (const {path, ids, sight} of sights) {
			await learn(path, ids, {found: sight && {...sight, names: hostNamesOf(sight.own, sight.system, all)}, at: now}, round);
		}
	};

	/** Of whom nobody has looked at yet: what the path leads to, or what it led to when the container was started. */
	const firstOf = async (
		id: string,
		path: string,
		now: Found | undefined,
		{places, asked, mountsIn}: Round,
	): Promise<Found | undefined> => {
		const place = places.get(`${id} ${path}`);
		if (place === undefined || now === undefined) {
			return now;
		}

		const isLink = !path.endsWith(now.own.path);
		const mayBeAnother = asked.has(id) && now.inode !== '' && !now.isFile;
		const other = isLink || mayBeAnother ? await hasInstead({mountsIn}, id, place, now) : undefined;
		return other === undefined ? now : {own: other, names: [], inner: [], inode: ''};
	};

	/** A container that was started before the path led elsewhere has what it led to then. */
	const learn = async (path: string, ids: ReadonlySet<string>, seen: Pick<Known, 'found' | 'at'>, round: Round): Promise<void> => {
		const by = known.get(path)?.by ?? new Map<string, Pick<Known, 'found' | 'at'>>();
		for (const id of ids) {
			const earlier = by.get(id);
			if (earlier === undefined) {
				by.set(id, {...seen, found: await firstOf(id, path, seen.found, round)});
			} else if (isSameFolder(earlier.found, seen.found) || (await hasNow(asking, id, earlier.at, seen.found?.own))) {
				by.set(id, seen);
			}
		}

		known.set(path, {...seen, by});
	};

	return async (containers, maximumAgeMs = Number.POSITIVE_INFINITY) => {
		last = last.then(async () => refresh(containers, maximumAgeMs));
		await last;
		return {containers: withNames(containers, known, volumes), ...unseenOf(failure ?? hidden.values().next().value)};
	};
}

/** Several mounts of one container are in one answer. */
function eachOnce(mountsIn: AskMounts['mountsIn']): AskMounts['mountsIn'] {
	const answers = new Map<string, Promise<string>>();
	return async id => {
		const answer = answers.get(id) ?? mountsIn(id);
		answers.set(id, answer);
		return answer;
	};
}

const placesOf = (containers: readonly Container[]): Round['places'] =>
	new Map(
		containers.flatMap(({id, mounts}) =>
			mounts.flatMap(mount => (mount.subpath === undefined ? [[`${id} ${hostFolderOf(mount)}`, mount.path] as const] : [])),
		),
	);

/** Nobody is sent again before `until`. */
interface Failure {
	why: string;
	pauseMs: number;
	until: number;
}

const failureAfter = (before: Failure | undefined, error: unknown, now: number): Failure => {
	const pauseMs = before === undefined ? firstPauseMs : Math.min(before.pauseMs * 2, longestPauseMs);
	return {why: explain(error), pauseMs, until: now + pauseMs};
};

const unseenOf = (failure: Failure | undefined): Pick<Seen, 'unseen'> => (failure === undefined ? {} : {unseen: failure.why});
