/** What a folder that was reached by a link is called on the host: told from folders of which the host's own name is known. Pure. */
import {basename, dirname} from 'node:path/posix';
import type {Folder} from './container.ts';
import type {MountedFolder} from './mountinfo.ts';
import {below, host, inside, isInside} from './storage.ts';

/** A folder of the host, and what the kernel has it as. */
export interface Anchor {
	path: string;
	is: Folder;
}

/** What of the host is the system's own lies in these, whichever file systems they are. */
export const systemAnchors = ['/etc', '/usr', '/boot', '/lib', '/var/lib'];

/** File systems that are the kernel's own, and where they are. */
const kernels: Readonly<Record<string, string>> = {
	proc: '/proc',
	sysfs: '/sys',
	cgroup: '/sys',
	cgroup2: '/sys',
	debugfs: '/sys',
	tracefs: '/sys',
	securityfs: '/sys',
	bpf: '/sys',
	devtmpfs: '/dev',
	devpts: '/dev',
	mqueue: '/dev',
};

/** @param system what mountinfo says of it: type first */
export function hostNamesOf(folder: Folder, system: string, anchors: readonly Anchor[]): Folder[] {
	const kernel = kernels[system.split(' ')[0] ?? ''];
	const names = anchors.flatMap(({path, is}) => {
		if (is.in !== folder.in) {
			return [];
		}

		if (isInside(folder.path, is.path)) {
			return [inside(path, below(folder.path, is.path))];
		}

		const rest = below(is.path, folder.path);
		return isInside(is.path, folder.path) && path.endsWith(rest) ? [path.slice(0, -rest.length) || '/'] : [];
	});
	const found = kernel === undefined ? names : [kernel, ...names];
	return [...new Set(found)].map(path => ({in: host, path}));
}

/** The engine's socket, which the agent itself has, lies in `/run`: so that folder is known without anybody having to see it. */
export const runAnchors = (own: readonly MountedFolder[]): Anchor[] =>
	own
		.filter(({path, root, system}) => basename(path).endsWith('.sock') && dirname(root) === '/' && system.startsWith('tmpfs '))
		.map(({device}) => ({path: '/run', is: {in: device, path: '/'}}));
