/** Mounts as a worker of a restore has them. */
import type {Mount} from '../../docker/container.ts';
import {shownAt, type WorkerMount} from '../../docker/worker-mounts.ts';
import {mountPath, parseSource} from '../repository/names.ts';
import type {RestoringSource} from './restoring.ts';

export function workerMount(target: string, {name, mount}: {name: string; mount: Mount}): WorkerMount {
	return shownAt(mount, {to: mountPath(target, parseSource(name).prefix, mount.path), readOnly: false});
}

/** What of a worker's mount tells whose storage it is. */
export const storageOf = ({type, from, to, readOnly, subpath, folders}: WorkerMount): Mount => ({
	type,
	volume: type === 'volume' ? from : undefined,
	hostPath: type === 'bind' ? from : '',
	path: to,
	readWrite: !readOnly,
	subpath,
	folders,
});

/** The mounts that the file sources need, all writable. */
export function mountsOf(sources: readonly RestoringSource[]): WorkerMount[] {
	const mounts = sources.flatMap(({target, name, mount}) => (mount === undefined ? [] : [workerMount(target, {name, mount})]));
	return [...new Map(mounts.map(mount => [mount.to, mount])).values()];
}
