/**
 * What folders of the host really are: a link, or a folder that is mounted a second time, has another name and the same files. A worker that mounts
 * them read-only sees it in its own `/proc/self/mountinfo`. Each path is looked at once for each container that mounts it.
 */
import {basename} from 'node:path/posix';
import {succeed} from '../base/command.ts';
import {explain} from '../base/errors.ts';
import {type Container, type Folder, type Mount, workerLabel} from './container.ts';
import {statusOf} from './engine.ts';
import {readMountinfo} from './mountinfo.ts';
import {below, hostFolderOf, inside, isInside} from './storage.ts';
import {lookedAt, type Workforce} from './worker.ts';

export interface Seen {
	/** All of the engine, each mount with all names of its storage. */
	containers: Container[];
	/** Why nobody could look: folders of the host are told apart by their paths alone. */
	unseen?: string | undefined;
}

/** A folder as the kernel has it: `in` is the file system's number. */
interface Found {
	own: Folder;
	/** File systems that are mounted in it. */
	inner: readonly Folder[];
}

interface LookOptions {
	hire: () => Promise<Workforce>;
	/** The engine's own folder on the host. */
	dataRoot: string;
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

export function createLook({hire, dataRoot}: LookOptions): (containers: readonly Container[]) => Promise<Seen> {
	const volumes = inside(dataRoot, 'volumes');
	/** By path; undefined: it is not there. */
	const known = new Map<string, {found: Found | undefined; by: ReadonlySet<string>}>();
	let failure: {why: string; pauseMs: number; until: number} | undefined;
	let last: Promise<unknown> = Promise.resolve();

	const look = async (paths: readonly string[]): Promise<ReadonlyMap<string, Found>> => {
		const workforce = await hire();
		try {
			return await lookAt(workforce, paths);
		} finally {
			await workforce.dismiss();
		}
	};

	const refresh = async (containers: readonly Container[]): Promise<void> => {
		const wanted = wantedPaths(containers);
		for (const path of known.keys()) {
			if (!wanted.has(path)) {
				known.delete(path);
			}
		}

		const fresh = [...wanted].filter(([path, by]) => [...by].some(id => known.get(path)?.by.has(id) !== true));
		if (fresh.length === 0 || (failure !== undefined && failure.until > Date.now())) {
			return;
		}

		try {
			for (let from = 0; from < fresh.length; from += mostAtOnce) {
				const batch = fresh.slice(from, from + mostAtOnce);
				const found = await look(batch.map(([path]) => path));
				for (const [path, by] of batch) {
					known.set(path, {found: found.get(path), by});
				}
			}

			failure = undefined;
		} catch (error) {
			const pauseMs = failure === undefined ? firstPauseMs : Math.min(failure.pauseMs * 2, longestPauseMs);
			failure = {why: explain(error), pauseMs, until: Date.now() + pauseMs};
		}
	};

	/** By path, who mounts it. With one folder of the host, volumes may lie behind a link to it, too. */
	const wantedPaths = (containers: readonly Container[]): Map<string, Set<string>> => {
		const wanted = new Map<string, Set<string>>();
		for (const {id, labels, mounts} of containers) {
			const folders = labels[workerLabel] === undefined ? mounts.flatMap(mount => hostFolderOf(mount) ?? []) : [];
			for (const folder of folders.filter(isLookedAt)) {
				wanted.set(folder, (wanted.get(folder) ?? new Set()).add(id));
			}
		}

		return wanted.size === 0 ? wanted : wanted.set(volumes, new Set(['the engine']));
	};

	const named = (mount: Mount): Mount => {
		const {hostPath, subpath = '', folders = []} = mount;
		const folder = hostFolderOf(mount);
		const found = known.get(folder ?? volumes)?.found;
		if (found === undefined) {
			return mount;
		}

		if (folder !== undefined) {
			return {...mount, folders: [...folders, found.own], inner: found.inner};
		}

		// A volume that is a name of something else is not kept there.
		const isKept = folders.length === 0 && isInside(hostPath, volumes);
		const path = inside(inside(found.own.path, below(hostPath, volumes)), subpath);
		return isKept ? {...mount, folders: [{in: found.own.in, path}]} : mount;
	};

	return async containers => {
		last = last.then(async () => refresh(containers));
		await last;
		return {
			containers: containers.map(container => ({...container, mounts: container.mounts.map(named)})),
			...(failure === undefined ? {} : {unseen: failure.why}),
		};
	};
}

const isLookedAt = (path: string): boolean =>
	path.startsWith('/') && path !== '/' && !basename(path).endsWith('.sock') && !passedOver.some(folder => isInside(path, folder));

/** A bind mount of what is not there is refused, with the path: the others are looked at without it. */
async function lookAt(workforce: Workforce, paths: readonly string[]): Promise<ReadonlyMap<string, Found>> {
	let left = paths;
	for (;;) {
		try {
			const {run} = await workforce.look(left);
			const mounted = readMountinfo(await succeed(run, {argv: ['cat', '/proc/self/mountinfo'], signal: AbortSignal.timeout(patienceMs)}));
			return new Map(left.flatMap((path, index) => foundAt(lookedAt(index), mounted).map(found => [path, found] as const)));
		} catch (error) {
			const remaining = left.filter(path => !(error instanceof Error && error.message.includes(path)));
			if (![400, 404, 500].includes(statusOf(error) ?? 0) || remaining.length === left.length) {
				throw error;
			}

			left = remaining;
		}
	}
}

/** Of two at one path, the later one is seen. */
function foundAt(place: string, mounted: ReturnType<typeof readMountinfo>): Found[] {
	const folderOf = ({device, root}: {device: string; root: string}): Folder => ({in: device, path: root});
	const own = mounted.findLast(({path}) => path === place);
	const inner = mounted.filter(({path}) => path !== place && isInside(path, place)).slice(0, mostInner);
	return own === undefined ? [] : [{own: folderOf(own), inner: inner.map(folderOf)}];
}
