/** A mount as a worker of a restore has it. */
import type {WorkerMount} from '../../docker/worker.ts';
import type {PlannedSource} from '../plan.ts';
import {mountPath, parseSource} from './names.ts';

export function workerMount(
	target: string,
	{name, mount}: Pick<PlannedSource & {kind: 'sqlite' | 'volume'}, 'name' | 'mount'>,
): WorkerMount {
	const to = mountPath(target, parseSource(name).prefix, mount.path);
	return {type: mount.type, from: mount.volume ?? mount.hostPath, to, readOnly: false};
}
