/** What this process can see of the container that it runs in, whoever's network, names and files of names it shares. Pure. */
import type {Mount} from './container.ts';
import type {ContainerDetails} from './details.ts';
import {readMountinfo, unescaped} from './mountinfo.ts';

export interface Evidence {
	/** Where the engine keeps what the container writes outside of its mounts: one folder a container. Undefined where the file system does not say. */
	rootFolder: string | undefined;
	/** The container that this process is accounted to, where its control group shows it. */
	accounted: string | undefined;
	/** Ids in the paths of the files that the engine mounts into every container. In another's network they are the other's. */
	named: readonly string[];
	/** By its path in here: the path of a mount's root on the file system that it is of. */
	mounts: ReadonlyMap<string, string>;
}

const id = '[0-9a-f]{64}';
const namedBy = new RegExp(`/(?:containers|overlay-containers)/(${id})/(?:userdata/)?(?:hostname|hosts|resolv\\.conf)$`);
const accountedTo = new RegExp(`(${id})(?:\\.scope)?(?:/[^/]*)?$`);

/** @param mountinfo of `/proc/self/mountinfo` @param cgroup of `/proc/self/cgroup` */
export function readEvidence(mountinfo: string, cgroup: string): Evidence {
	const mounts = new Map<string, string>();
	let rootFolder: string | undefined;
	for (const {path, root, system} of readMountinfo(mountinfo)) {
		mounts.set(path, root);
		rootFolder = path === '/' ? /[ ,]upperdir=([^,]+)/.exec(system)?.[1] : rootFolder;
	}

	const named = [...mounts.values()].flatMap(root => namedBy.exec(root)?.[1] ?? []);
	const accounted = cgroup.split('\n').flatMap(line => accountedTo.exec(line)?.[1] ?? [])[0];
	return {rootFolder: rootFolder && unescaped(rootFolder), accounted, named: [...new Set(named)], mounts};
}

/** How well a container fits; 0: it is another. What is proven counts more than any number of mounts. */
export function likeness({rootFolder, accounted, named, mounts}: Evidence, details: ContainerDetails): number {
	const proven = 1_000_000;
	if (rootFolder !== undefined && details.rootFolder !== undefined) {
		// Where it has many layers the engine mounts by paths that are relative to its own folder.
		return details.rootFolder === rootFolder || details.rootFolder.endsWith(`/${rootFolder}`) ? proven : 0;
	}

	if (accounted !== undefined) {
		return accounted === details.id ? proven : 0;
	}

	const fits = details.mounts.map(mount => fitOf(mount, mounts.get(mount.path)));
	const isOther = fits.includes(0) || (details.mounts.length === 0 && !named.includes(details.id));
	return isOther ? 0 : fits.reduce((sum, each) => sum + each, named.includes(details.id) ? 2 : 1);
}

/** A folder of the host may be named by a link; a volume is where the engine says, or a file system of its own. */
function fitOf({type, hostPath}: Mount, root: string | undefined): number {
	if (root === undefined) {
		return 0;
	}

	const isSame = hostPath.endsWith(root) || root.endsWith(hostPath);
	return isSame ? 10 : type === 'bind' ? 5 : 0;
}
