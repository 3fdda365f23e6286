/**
 * What folders of the host really are: a link, or a folder that is mounted a second time, has another name and the same files. A worker that mounts
 * them read-only sees it in its own `/proc/self/mountinfo`. Each path is looked at once for each container that mounts it, and again for a run: a link
 * may lead elsewhere by then, and a container has what it led to at its start.
 */
import {readFile} from 'node:fs/promises';
import {basename, dirname} from 'node:path/posix';
import {succeed} from '../base/command.ts';
import {explain} from '../base/errors.ts';
import {type Container, type Folder, type Mount, workerLabel} from './container.ts';
import {statusOf} from './engine.ts';
import {type Anchor, hostNamesOf, runAnchors, systemAnchors} from './host-names.ts';
import {type MountedFolder, readMountinfo} from './mountinfo.ts';
import {below, hostFolderOf, hostFoldersOf, inside, isInside} from './storage.ts';
import {lookedAt, type Workforce} from './worker.ts';

export interface Seen {
	/** All of the engine, each mount with all names of its storage. */
	containers: Container[];
	/** Why nobody could look: folders of the host are told apart by their paths alone. */
	unseen?: string | undefined;
}

/** @param maximumAgeMs what was seen longer ago is looked at again; by default only what was never seen */
export type Look = (containers: readonly Container[], maximumAgeMs?: number) => Promise<Seen>;

/** A folder as the kernel has it: `in` is the file system's number. */
interface Found {
	own: Folder;
	/** What the host calls it. */
	names: readonly Folder[];
	/** File systems that are mounted in it. */
	inner: readonly Folder[];
	/** Its number there, which another folder of the same name has not. Empty where it is not known. */
	inode: string;
}

interface Known {
	/** Undefined: it is not there. */
	found: Found | undefined;
	at: number;
	/** What each container has, and when that was seen. */
	by: Map<string, {found: Found | undefined; at: number}>;
}

interface LookOptions {
	hire: () => Promise<Workforce>;
	/** The engine's own folder on the host. */
	dataRoot: string;
	/** When a container was started; ISO 8601. */
	startedAt: (container: string) => Promise<string>;
	/** What is mounted in the agent's own container. */
	own?: () => Promise<string>;
}

/** Nothing of an application. A look at all of the host would be one at everything that is mounted on it. */
const passedOver = ['/proc', '/sys', '/dev', '/run', '/var/run'];

const mostAtOnce = 100;

/** What is mounted in a folder: beyond that it is the host's whole tree. */
const mostInner = 100;

/** After a failure nobody is sent again before, and after each further one not for twice as long: a folder on a server that is away may take a minute to fail. */
const firstPauseMs = 5 * 60_000;
const longestPauseMs = 6 * 3_600_000;

const patienceMs = 60_000;

const theEngine = 'the engine';

export function createLook({hire, dataRoot, startedAt, own = async () => readFile('/proc/self/mountinfo', 'utf8')}: LookOptions): Look {
	const volumes = inside(dataRoot, 'volumes');
	const known = new Map<string, Known>();
	let failure: {why: string; pauseMs: number; until: number} | undefined;
	let last: Promise<unknown> = Promise.resolve();

	const look = async (paths: readonly string[]): Promise<ReadonlyMap<string, Sight>> => {
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

		const now = Date.now();
		const isFresh = ([path, ids]: readonly [string, ReadonlySet<string>]): boolean => {
			const entry = known.get(path);
			return (
				entry === undefined ||
				[...ids].some(id => !entry.by.has(id)) ||
				(!ids.has(theEngine) && (now - entry.at > maximumAgeMs || [...ids].some(id => isAstray(entry, id))))
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
				const seen = await look(batch.map(([path]) => path));
				const sights = batch.map(([path, ids]) => ({path, ids, sight: seen.get(path)}));
				const ofEngine = sights.flatMap(({path, ids, sight}) => (sight !== undefined && ids.has(theEngine) ? [{path, is: sight.own}] : []));
				const all = [...ofEngine, ...(await anchors())];
				for (const {path, ids, sight} of sights) {
					await learn(path, ids, {found: sight && {...sight, names: hostNamesOf(sight.own, sight.system, all)}, at: now});
				}
			}

			failure = undefined;
		} catch (error) {
			const pauseMs = failure === undefined ? firstPauseMs : Math.min(failure.pauseMs * 2, longestPauseMs);
			failure = {why: explain(error), pauseMs, until: Date.now() + pauseMs};
		}
	};

	/** A container that was started before the path led elsewhere has what it led to then. */
	const learn = async (path: string, ids: ReadonlySet<string>, seen: Pick<Known, 'found' | 'at'>): Promise<void> => {
		const by = known.get(path)?.by ?? new Map<string, Pick<Known, 'found' | 'at'>>();
		for (const id of ids) {
			const earlier = by.get(id);
			const isSame = earlier === undefined || isSameFolder(earlier.found, seen.found);
			if (isSame || Date.parse(await startedAt(id).catch(() => '9999')) > earlier.at) {
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
			return {...all, ...(isAll && {isOfAll: true}), ...(entry !== undefined && isAstray(entry, id) && {isAstray: true})};
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
			...(failure === undefined ? {} : {unseen: failure.why}),
		};
	};
}

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

type Sight = Omit<Found, 'names'> & Pick<MountedFolder, 'system'>;

/** With lines that `readMountinfo` passes over: the number of each folder in its file system. */
const script = `cat /proc/self/mountinfo && for folder; do timeout -s KILL 5 stat --format='inode %n %i' -- "$folder" || :; done`;

/** A bind mount of what is not there is refused, with the path: the others are looked at without it. */
async function lookAt(workforce: Workforce, paths: readonly string[]): Promise<ReadonlyMap<string, Sight>> {
	let left = paths;
	for (;;) {
		try {
			const {run} = await workforce.look(left);
			const places = left.map((_, index) => lookedAt(index));
			const printed = await succeed(run, {argv: ['sh', '-c', script, 'sh', ...places], signal: AbortSignal.timeout(patienceMs)});
			const mounted = readMountinfo(printed);
			const inodes = new Map([...printed.matchAll(/^inode (\S+) (\d+)$/gm)].map(([, place = '', inode = '']) => [place, inode]));
			return new Map(
				left.flatMap((path, index) => sightAt(lookedAt(index), mounted, inodes.get(lookedAt(index))).map(sight => [path, sight] as const)),
			);
		} catch (error) {
			const named = left.filter(path => error instanceof Error && error.message.includes(path));
			// The name of one may be a part of another's.
			const gone = named.filter(path => !named.some(other => other !== path && other.includes(path)));
			const remaining = left.filter(path => !gone.includes(path));
			if (![400, 404, 500].includes(statusOf(error) ?? 0) || remaining.length === left.length) {
				throw error;
			}

			left = remaining;
		}
	}
}

/** Elsewhere a folder may have another number after each mount, or each time it is looked up. */
const numbering = /^(?:ext[234]|xfs|btrfs|f2fs|zfs|tmpfs) /;

/** Of two at one path, the later one is seen. */
function sightAt(place: string, mounted: readonly MountedFolder[], inode = ''): Sight[] {
	const folderOf = ({device, root}: MountedFolder): Folder => ({in: device, path: root});
	const own = mounted.findLast(({path}) => path === place);
	const inner = mounted.filter(({path}) => path !== place && isInside(path, place)).slice(0, mostInner);
	return own === undefined
		? []
		: [{own: folderOf(own), inner: inner.map(folderOf), system: own.system, inode: numbering.test(own.system) ? inode : ''}];
}
