/** Where things lie: paths in mounts, and mounts that are the same storage. */

import {quote} from '../base/reading/quote.ts';
import type {Container, Mount} from './container.ts';

/** Whether the path is the folder or below it. */
export const isInside = (path: string, folder: string): boolean => path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);

/** Either is inside the other. */
export const overlap = (a: string, b: string): boolean => isInside(a, b) || isInside(b, a);

/** The path below a folder that it is inside of: `''` for the folder itself, else with a leading slash. */
export const below = (path: string, folder: string): string => (path === folder ? '' : path.slice(folder === '/' ? 0 : folder.length));

/** The mount that a path in the container lies in: the innermost. */
export function mountOf(path: string, {mounts}: Container): Mount | undefined {
	return mounts.filter(mount => isInside(path, mount.path)).sort((a, b) => b.path.length - a.path.length)[0];
}

/** Where a path of one mount lies in another mount that shows the same storage; undefined where it does not show it. */
export function shownIn(other: Mount, mount: Mount, path: string): string | undefined {
	const inside = below(path, mount.path);
	if (mount.type === 'volume' && other.type === 'volume') {
		return mount.volume === other.volume ? inside : undefined;
	}

	const hostPath = mount.hostPath + inside;
	return mount.hostPath !== '' && other.hostPath !== '' && isInside(hostPath, other.hostPath) ? below(hostPath, other.hostPath) : undefined;
}

/** Exactly the same files. */
export const isSameStorage = (a: Mount, b: Mount): boolean =>
	a.type === 'volume' && b.type === 'volume' ? a.volume === b.volume : a.hostPath !== '' && a.hostPath === b.hostPath;

/** What is written through one may be seen through the other. */
export const sharesStorage = (a: Mount, b: Mount): boolean =>
	a.type === 'volume' && b.type === 'volume'
		? a.volume === b.volume
		: a.hostPath !== '' && b.hostPath !== '' && overlap(a.hostPath, b.hostPath);

/** For people: `volume data`, `bind mount of "/srv/app"`. */
export const describeStorage = ({type, volume, hostPath}: Mount): string =>
	type === 'volume' ? `volume ${quote(volume ?? '')}` : `bind mount of ${quote(hostPath)}`;

/** For people: every mount of a container, with its path. */
export const describeMounts = ({mounts}: Container): string =>
	mounts.length === 0
		? 'it has no mounts'
		: `its mounts are ${mounts.map(mount => `${quote(mount.path)} (${describeStorage(mount)}${mount.readWrite ? '' : ', read-only'})`).join(', ')}`;
