/** Mounts as a worker of a restore has them. */
import type {Mount} from '../../docker/container.ts';
import type {WorkerMount} from '../../docker/worker.ts';
import {mountPath, parseSource} from '../repository/names.ts';
import type {PlannedSource} from './kind.ts';
import type {RestoringSource} from './restoring.ts';

export function workerMount(
	target: string,
	{name, mount}: Pick<PlannedSource & {kind: 'sqlite' | 'volume'}, 'name' | 'mount'>,
): WorkerMount {
	const to = mountPath(target, parseSource(name).prefix, mount.path);
	return {type: mount.type, from: mount.volume ?? mount.hostPath, to, readOnly: false};
}

/** What of a worker's mount tells whose storage it is. */
export const storageOf = ({type, from, to, readOnly}: WorkerMount): Mount => ({
	type,
	volume: type === 'volume' ? from : undefined,
	hostPath: type === 'bind' ? from : '',
	path: to,
	readWrite: !readOnly,
});

/** The mounts that the file sources need, all writable. */
export function mountsOf(sources: readonly RestoringSource[]): WorkerMount[] {
	const mounts = sources.flatMap(source => ('mount' in source ? [workerMount(source.target, source)] : []));
	return [...new Map(mounts.map(mount => [mount.to, mount])).values()];
}

/** What the worker must be able to make: devices are only in whole volumes, or in a folder of one. */
export const writingOf = (written: ReadonlyArray<{kind: string}>): 'write' | 'write all' =>
	written.some(({kind}) => kind === 'volume' || kind === 'files') ? 'write all' : 'write';
