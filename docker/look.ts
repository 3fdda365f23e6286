/**
 * What folders of the host really are: a link, or a folder that is mounted a second time, has another name and the same files. A worker that mounts
 * them read-only sees it in its own `/proc/self/mountinfo`. Each path is looked at once for each container that mounts it, and again for a run: a link
 * may lead elsewhere by then, and a container has what it led to at its start.
 */
import {readFile} from 'node:fs/promises';
import {basename, dirname} from 'node:path/posix';
import {explain} from '../base/errors.ts';
import {type Container, type Folder, type Mount, workerLabel} from './container.ts';
import {type Anchor, hostNamesOf, runAnchors, systemAnchors} from './host-names.ts';
import {type AskMounts, hasInstead, hasNow} from './mounted-in.ts';
import {readMountinfo} from './mountinfo.ts';
import {type Looked, lookAt, type Sight} from './sights.ts';
import {below, hostFolderOf, hostFoldersOf, inside, isInside} from './storage.ts';
import type {Workforce} from './worker.ts';

export interface Seen {
	/** All of the engine, each mount with all names of its storage. */
	containers: Container[];
	/** Why nobody could look: folders of the host are told apart by their paths alone. */
	unseen?: string | undefined;
}

/** @param maximumAgeMs what was seen longer ago is looked at again; by default only what was never seen */
export type Look = (containers: readonly Container[], maximumAgeMs?: number) => Promise<Seen>;

/** A folder as the kernel has it. */
interface Found extends Omit<Sight, 'system'> {
	/** What the host calls it. */
	names: readonly Folder[];
}

interface Known {
	/** Undefined: it is not there. */
	found: Found | undefined;
	at: number;
	/** What each container has, and when that was seen. */
	by: Map<string, {found: Found | undefined; at: number}>;
}

interface LookOptions extends AskMounts {
	hire: () => Promise<Workforce>;
	/** The engine's own folder on the host. */
	dataRoot: string;
	/** What is mounted in the agent's own container. */
	own?: () => Promise<string>;
}

/** Nothing of an application. A look at all of the host would be one at everything that is mounted on it. */
const passedOver = ['/proc', '/sys', '/dev', '/run', '/var/run'];

const mostAtOnce = 100;

/** After a failure nobody is sent again before, and after each further one not for twice as long: a folder on a server that is away may take a minute to fail. */
const firstPauseMs = 5 * 60_000;
const longestPauseMs = 6 * 3_600_000;

const theEngine = 'the engine';

export function createLook({hire, dataRoot, own = async () => readFile('/proc/self/mountinfo', 'utf8'), ...asking}: LookOptions): Look {
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
		const wanted = wantedPaths(containers);
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

		const places: Places = new Map(
			containers.flatMap(({id, mounts}) =>
				mounts.flatMap(mount => (mount.subpath === undefined ? [[`${id} ${hostFolderOf(mount)}`, mount.path] as const] : [])),
			),
		);
		const now = Date.now();
		const isFresh = ([path, ids]: readonly [string, ReadonlySet<string>]): boolean => {
			const entry = known.get(path);
			return (
				(hidden.get(path)?.until ?? 0) <= now &&
				(entry === undefined ||
					[...ids].some(id => !entry.by.has(id)) ||
					(!ids.has(theEngine) && (now - entry.at > maximumAgeMs || [...ids].some(id => isAstray(entry, id)))))
			);
		};
		const fresh = [...wanted].filter(isFresh);
		if (fresh.length === 0 || (failure !== undefined && failure.until > now)) {
			return;
		}

		try {
			// The host's own names first: the others are told by them.
			const ordered = fresh.toSorted(([, a], [, b]) => Number(b.has(theEngine)) - Number(a.has(theEngine)));
			for (let from = 0; from < ordered.length; from += mostAtOnce) {
				const batch = ordered.slice(from, from + mostAtOnce);
				const {sights: seen, unseen} = await look(batch.map(([path]) => path));
				for (const [path] of batch) {
					const why = unseen.get(path);
					why === undefined ? hidden.delete(path) : hidden.set(path, failureAfter(hidden.get(path), why, now));
				}

				const sights = batch.flatMap(([path, ids]) => (unseen.has(path) ? [] : [{path, ids, sight: seen.get(path)}]));
				const ofEngine = sights.flatMap(({path, ids, sight}) => (sight !== undefined && ids.has(theEngine) ? [{path, is: sight.own}] : []));
				const all = [...ofEngine, ...(await anchors())];
				for (const {path, ids, sight} of sights) {
					await learn(path, ids, {found: sight && {...sight, names: hostNamesOf(sight.own, sight.system, all)}, at: now}, places);
				}
			}

			failure = undefined;
		} catch (error) {
			failure = failureAfter(failure, error, Date.now());
		}
	};

	/** Of whom nobody has looked at yet: what the path leads to, or what it led to when the container was started. */
	const firstOf = async (id: string, path: string, now: Found | undefined, places: Places): Promise<Found | undefined> => {
		const place = places.get(`${id} ${path}`);
		const isLink = now !== undefined && !path.endsWith(now.own.path);
		const other = place !== undefined && isLink ? await hasInstead(asking, id, place, now.own) : undefined;
		return other === undefined ? now : {own: other, names: [], inner: [], inode: ''};
	};

	/** A container that was started before the path led elsewhere has what it led to then. */
	const learn = async (path: string, ids: ReadonlySet<string>, seen: Pick<Known, 'found' | 'at'>, places: Places): Promise<void> => {
		const by = known.get(path)?.by ?? new Map<string, Pick<Known, 'found' | 'at'>>();
		for (const id of ids) {
			const earlier = by.get(id);
			if (earlier === undefined) {
				by.set(id, {...seen, found: await firstOf(id, path, seen.found, places)});
			} else if (isSameFolder(earlier.found, seen.found) || (await hasNow(asking, id, earlier.at, seen.found?.own))) {
				by.set(id, seen);
			}
		}

		known.set(path, {...seen, by});
	};

	/** By path, who mounts it. With one folder of the host, volumes may lie behind a link to it, too, and it may lead to what is the system's. */
	const wantedPaths = (containers: readonly Container[]): Map<string, Set<string>> => {
		const wanted = new Map<string, Set<string>>();
		for (const {id, labels, mounts} of containers) {
			const folders = labels[workerLabel] === undefined ? mounts.flatMap(mount => hostFolderOf(mount) ?? []) : [];
			for (const folder of folders.filter(isLookedAt)) {
				wanted.set(folder, (wanted.get(folder) ?? new Set()).add(id));
			}
		}

		for (const anchor of wanted.size === 0 ? [] : [volumes, ...systemAnchors]) {
			wanted.set(anchor, (wanted.get(anchor) ?? new Set()).add(theEngine));
		}

		return wanted;
	};

	const named = ({id, project}: Container, mount: Mount, homes: readonly Home[]): Mount => {
		const {hostPath, subpath = '', folders = []} = mount;
		const folder = hostFolderOf(mount);
		const entry = known.get(folder ?? volumes);
		const found = (entry?.by.get(id) ?? entry)?.found;
		if (folder !== undefined) {
			const all = found === undefined ? mount : {...mount, folders: [...folders, found.own, ...found.names], inner: found.inner};
			const others = [volumes, ...homes.flatMap(home => (home.project === project ? [] : home.above))];
			const isAll = hostFoldersOf(all).some(name => others.some(other => isInside(other, name)));
			return {
				...all,
				...(isAll && {isOfAll: true}),
				...(entry !== undefined && isAstray(entry, id) && {isAstray: true}),
				...(entry !== undefined && entry.found === undefined && {isGone: true}),
			};
		}

		// A volume that is a name of something else is not kept there.
		const isKept = found !== undefined && folders.length === 0 && isInside(hostPath, volumes);
		return isKept
			? {...mount, folders: [{in: found.own.in, path: inside(inside(found.own.path, below(hostPath, volumes)), subpath)}]}
			: mount;
	};

	return async (containers, maximumAgeMs = Number.POSITIVE_INFINITY) => {
		last = last.then(async () => refresh(containers, maximumAgeMs));
		await last;
		const homes = homesOf(containers);
		return {
			containers: containers.map(container => ({...container, mounts: container.mounts.map(mount => named(container, mount, homes))})),
			...unseenOf(failure ?? hidden.values().next().value),
		};
	};
}

/** By container and folder of the host: where it is mounted. */
type Places = ReadonlyMap<string, string>;

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

/** Where projects are: whoever has a folder above one's own has more than one application's. */
interface Home {
	project: string;
	above: string;
}

const homesOf = (containers: readonly Container[]): Home[] => {
	const homes = containers.flatMap(({project, labels}) => {
		const home = labels['com.docker.compose.project.working_dir'] ?? '';
		return project === undefined || !home.startsWith('/') || dirname(home) === '/' ? [] : [{project, above: dirname(home)}];
	});
	return [...new Map(homes.map(home => [`${home.project} ${home.above}`, home])).values()];
};

const isAstray = ({found, by}: Known, id: string): boolean => {
	const own = by.get(id);
	return own !== undefined && !isSameFolder(own.found, found);
};

const isSameFolder = (a: Found | undefined, b: Found | undefined): boolean =>
	a?.own.in === b?.own.in && a?.own.path === b?.own.path && (!a?.inode || !b?.inode || a.inode === b.inode);

const isLookedAt = (path: string): boolean =>
	path.startsWith('/') && path !== '/' && !basename(path).endsWith('.sock') && !passedOver.some(folder => isInside(path, folder));
