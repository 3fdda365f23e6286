/** What was seen of folders of the host, by path; and the names that mounts have by it. Pure. */
import {basename, dirname} from 'node:path/posix';
import {type Container, type Folder, type Mount, workerLabel} from './container.ts';
import {systemAnchors} from './host-names.ts';
import type {Sight} from './sights.ts';
import {below, hostFolderOf, hostFoldersOf, inside, isInside} from './storage.ts';

/** A folder as the kernel has it. */
export interface Found extends Omit<Sight, 'system'> {
	/** What the host calls it. */
	names: readonly Folder[];
}

export interface Known {
	/** Undefined: it is not there. */
	found: Found | undefined;
	at: number;
	/** What each container has, and when that was seen. */
	by: Map<string, {found: Found | undefined; at: number}>;
}

/** Nothing of an application. A look at all of the host would be one at everything that is mounted on it. */
const passedOver = ['/proc', '/sys', '/dev', '/run', '/var/run'];

/** Among those who mount a path: the engine itself. */
export const theEngine = 'the engine';

/** By path, who mounts it. With one folder of the host, volumes may lie behind a link to it, too, and it may lead to what is the system's. @param volumes the engine's own folder of them */
export function wantedPaths(containers: readonly Container[], volumes: string): Map<string, Set<string>> {
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
}

const isLookedAt = (path: string): boolean =>
	path.startsWith('/') && path !== '/' && !basename(path).endsWith('.sock') && !passedOver.some(folder => isInside(path, folder));

/** Each mount with all names of its storage. @param volumes the engine's own folder of them */
export function withNames(containers: readonly Container[], known: ReadonlyMap<string, Known>, volumes: string): Container[] {
	const homes = homesOf(containers);
	return containers.map(container => ({
		...container,
		mounts: container.mounts.map(mount => named(container, mount, {known, homes, volumes})),
	}));
}

interface Seen {
	known: ReadonlyMap<string, Known>;
	homes: readonly Home[];
	volumes: string;
}

function named({id, project}: Container, mount: Mount, {known, homes, volumes}: Seen): Mount {
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
			...(entry !== undefined && isRewritten(entry, id) && {isRewritten: true}),
			...(entry !== undefined && entry.found === undefined && {isGone: true}),
		};
	}

	// A volume that is a name of something else is not kept there.
	const isKept = found !== undefined && folders.length === 0 && isInside(hostPath, volumes);
	return isKept
		? {...mount, folders: [{in: found.own.in, path: inside(inside(found.own.path, below(hostPath, volumes)), subpath)}]}
		: mount;
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

/** What it has is not what the path leads to now. */
export const isAstray = (known: Known, id: string): boolean => isAnother(known, id) && !isRewritten(known, id);

/** A single file that was written anew: editors, `sed -i` and `git pull` put another in its place. */
const isRewritten = (known: Known, id: string): boolean => {
	const [own, now] = [known.by.get(id)?.found, known.found];
	return isAnother(known, id) && own?.isFile === true && now?.isFile === true && own.own.path === now.own.path;
};

const isAnother = ({found, by}: Known, id: string): boolean => {
	const own = by.get(id);
	return own !== undefined && !isSameFolder(own.found, found);
};

export const isSameFolder = (a: Found | undefined, b: Found | undefined): boolean =>
	a?.own.in === b?.own.in && a?.own.path === b?.own.path && (!a?.inode || !b?.inode || a.inode === b.inode);
