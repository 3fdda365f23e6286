/** Where things lie: paths in mounts, and mounts that are the same storage. */

import {quote} from '../base/reading/quote.ts';
import type {Container, Folder, Mount} from './container.ts';

/** Whether the path is the folder or below it. */
export const isInside = (path: string, folder: string): boolean => path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);

/** Either is inside the other. */
export const overlap = (a: string, b: string): boolean => isInside(a, b) || isInside(b, a);

/** The path below a folder that it is inside of: `''` for the folder itself, else with a leading slash. */
export const below = (path: string, folder: string): string => (path === folder ? '' : path.slice(folder === '/' ? 0 : folder.length));

/** A folder, and one in it: relative, or with a leading slash. */
export const inside = (folder: string, path: string): string => {
	const rest = path.replace(/^\//, '');
	return rest === '' ? folder : `${folder === '/' ? '' : folder}/${rest}`;
};

/** The mount that a path in the container lies in: the innermost. */
export function mountOf(path: string, {mounts}: Pick<Container, 'mounts'>): Mount | undefined {
	return mounts.filter(mount => isInside(path, mount.path)).sort((a, b) => b.path.length - a.path.length)[0];
}

/** The host's own names of folders. */
export const host = 'host';

/** All names of what is mounted. With one in common, two mounts are of one storage. */
function namesOf({type, volume = '', hostPath, subpath = '', folders = []}: Mount): Folder[] {
	return [
		...(type === 'volume' ? [{in: `volume ${volume}`, path: inside('/', subpath)}] : []),
		...(hostPath === '' ? [] : [{in: host, path: inside(hostPath, subpath)}]),
		...folders,
	];
}

/** The folder of the host that is mounted: by itself, or because the volume is nothing but a name of it. */
export const hostFolderOf = ({type, hostPath, folders = []}: Mount): string | undefined =>
	type === 'bind' ? hostPath : folders.find(folder => folder.in === host)?.path;

/** All that the host calls it. Of a volume that is no name of a folder, the engine's own path is none. */
export const hostFoldersOf = ({type, hostPath, folders = []}: Mount): string[] => [
	...new Set([...(type === 'bind' ? [hostPath] : []), ...folders.filter(folder => folder.in === host).map(({path}) => path)]),
];

/** Where a path of one mount lies in another mount that shows the same storage; undefined where it does not show it. */
export const shownIn = (other: Mount, mount: Mount, path: string): string | undefined => allShownIn(other, mount, path)[0];

/** Each place of it there: one that is a link, and where that leads. */
export function allShownIn(other: Mount, mount: Mount, path: string): string[] {
	const rest = below(path, mount.path);
	const places = namesOf(mount).flatMap(mine => {
		const place = inside(mine.path, rest);
		const theirs = namesOf(other).filter(folder => folder.in === mine.in && isInside(place, folder.path));
		return theirs.map(folder => below(place, folder.path));
	});
	return [...new Set(places)];
}

/** Exactly the same files. */
export const isSameStorage = (a: Mount, b: Mount): boolean => shownIn(b, a, a.path) === '';

/** What is written through one may be seen through the other. */
export function sharesStorage(a: Mount, b: Mount): boolean {
	const [some, others] = [a, b].map(mount => [...namesOf(mount), ...(mount.inner ?? [])]) as [Folder[], Folder[]];
	return some.some(one => others.some(other => one.in === other.in && overlap(one.path, other.path)));
}

/** Something of the container writes there, as an application does; what can see everything does not count. */
export const isWriterOf = ({mounts}: Container, mount: Mount): boolean =>
	mounts.some(theirs => theirs.readWrite && !theirs.isOfAll && sharesStorage(theirs, mount));

/** It can write there, because it can write to more than one application's. For people, completes "container …"; undefined: it cannot, or is a writer like any other. */
export function seesAll(container: Container, mount: Mount): string | undefined {
	const view = isWriterOf(container, mount) ? undefined : container.mounts.find(theirs => theirs.readWrite && sharesStorage(theirs, mount));
	return view && `has the ${describeStorage(view)}, and with it more than this application's: it is taken for one that looks after others`;
}

/** For people: `volume "data"`, `folder "a" of volume "data"`, `bind mount of "/srv/app"`. */
export function describeStorage(mount: Mount): string {
	const {type, volume = '', hostPath, subpath} = mount;
	if (type === 'bind') {
		return `bind mount of ${quote(hostPath)}`;
	}

	const folder = hostFolderOf(mount);
	return `${subpath === undefined ? '' : `folder ${quote(subpath)} of `}volume ${quote(volume)}${folder === undefined ? '' : `, which is ${quote(folder)} of the host`}`;
}

/** For people: every mount of a container, with its path. */
export const describeMounts = ({mounts}: Container): string =>
	mounts.length === 0
		? 'it has no mounts'
		: `its mounts are ${mounts.map(mount => `${quote(mount.path)} (${describeStorage(mount)}${mount.readWrite ? '' : ', read-only'})`).join(', ')}`;
