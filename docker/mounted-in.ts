/** What a container has where its mount's path may lead elsewhere by now: the kernel says it, in the container's own `/proc/self/mountinfo`. */
import type {ContainerState, Folder} from './container.ts';
import type {ContainerDetails} from './details.ts';
import {readMountinfo} from './mountinfo.ts';
import type {Sight} from './sights.ts';

export interface AskMounts {
	details: (container: string) => Promise<Pick<ContainerDetails, 'startedAt' | 'state'>>;
	/** What is mounted in a container, as its own `/proc/self/mountinfo` says. Rejects where nothing can be run in it. */
	mountsIn: (container: string) => Promise<string>;
}

/** Nothing is mounted in it: its next start gives it what the path leads to then. */
const withoutMounts: readonly ContainerState[] = ['created', 'exited', 'dead'];

/**
 * Whether a container has what the path leads to now, which is another folder than when it was looked at last, or will have it when it is started.
 * Started before that, it has what was seen then. Of one that was started since, only the kernel knows which came first; who cannot be asked was
 * started anew because of the change, as a rule. One that is paused can be asked later.
 */
export async function hasNow({details, mountsIn}: AskMounts, id: string, earlierAt: number, now: Folder | undefined): Promise<boolean> {
	const found = await details(id).catch(() => undefined);
	if (found !== undefined && withoutMounts.includes(found.state)) {
		return true;
	}

	if (found !== undefined && (found.state === 'paused' || Date.parse(found.startedAt) <= earlierAt)) {
		return false;
	}

	const mounted = now && readMountinfo(await mountsIn(id).catch(() => ''));
	return !mounted?.length || mounted.some(({device, root}) => device === now?.in && root === now.path);
}

/**
 * What a container has instead of what its path leads to now: it was started before anybody looked, and the path led elsewhere since, or another folder
 * was put in the place of its own. Undefined: it has just that, as far as its kernel says.
 * @param place in the container
 */
export async function hasInstead(
	{mountsIn}: Pick<AskMounts, 'mountsIn'>,
	id: string,
	place: string,
	now: Pick<Sight, 'own' | 'inode' | 'isFile'>,
): Promise<Folder | undefined> {
	const mounted = readMountinfo(await mountsIn(id).catch(() => '')).findLast(({path}) => path === place);
	// A folder of another file system may be the same after that was mounted anew.
	if (mounted === undefined || mounted.device !== now.own.in || mounted.root === now.own.path) {
		return undefined;
	}

	// Of a file that was written anew nothing is left, and a server's folder may be called so while it is there.
	const isLeft = !mounted.root.endsWith('//deleted') || (now.inode !== '' && !now.isFile);
	return isLeft ? {in: mounted.device, path: mounted.root} : undefined;
}
