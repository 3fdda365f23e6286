/** What a worker has of volumes and of folders of the host. */
import {RunError} from '../base/errors.ts';
import type {MountSettings} from './calls/containers.ts';
import type {Folder, Mount} from './container.ts';
import type {Engine} from './engine.ts';
import {readInspection} from './inspection.ts';

export interface WorkerMount {
	type: 'volume' | 'bind';
	/** The volume's name or the path on the host; empty: a volume that is made for this worker, and goes with it. */
	from: string;
	/** The path in the worker. */
	to: string;
	readOnly: boolean;
	/** Only this folder of the volume. */
	subpath?: string | undefined;
	/** Of a volume of ours, which is made where there is none: whatever has them is removed with the workers. */
	labels?: Readonly<Record<string, string>> | undefined;
	/** Whose it is may set attributes that the system keeps for itself, and so may the worker. */
	isAdministered?: boolean | undefined;
	/** Further names of the same folder: whoever has it in hand is known by them. */
	folders?: readonly Folder[] | undefined;
}

/** A mount of another container, at a path of the worker's own. */
export const shownAt = (
	{type, volume, hostPath, subpath, folders, isAdministered}: Mount,
	{to, readOnly}: Pick<WorkerMount, 'to' | 'readOnly'>,
): WorkerMount => ({
	type,
	from: type === 'volume' ? (volume ?? '') : hostPath,
	to,
	readOnly,
	...(subpath === undefined ? {} : {subpath}),
	...(folders === undefined ? {} : {folders}),
	...(isAdministered ? {isAdministered} : {}),
});

/** An engine before 26 takes no notice of a subpath, and would show the whole volume. */
export async function assertSubpaths(engine: Engine, id: string, mounts: readonly WorkerMount[]): Promise<void> {
	const wanted = mounts.filter(({subpath}) => subpath !== undefined);
	if (wanted.length === 0) {
		return;
	}

	const {subpaths} = readInspection((await engine.inspect(id)).hostConfig);
	const ignored = wanted.find(({to, subpath}) => subpaths.get(to) !== subpath);
	if (ignored !== undefined) {
		throw new RunError(
			`folder \`${ignored.subpath}\` of volume \`${ignored.from}\` cannot be shown to a worker: this engine knows no subpaths`,
			{
				hint: 'update it to 26 or later',
			},
		);
	}
}

/** The engine's types know no subpath yet. */
export const engineMount = ({type, from, to, readOnly, subpath, labels}: WorkerMount): MountSettings => ({
	Type: type,
	Source: from,
	Target: to,
	ReadOnly: readOnly,
	...(subpath === undefined && labels === undefined
		? {}
		: {VolumeOptions: {Subpath: subpath, Labels: labels} as unknown as MountSettings['VolumeOptions']}),
});

/** The name of the volume that a container has at a path. */
export async function volumeAt(engine: Pick<Engine, 'inspect'>, id: string, path: string): Promise<string> {
	const {mounts} = await engine.inspect(id);
	const volume = mounts.find(mount => mount.path === path)?.volume;
	if (volume === undefined) {
		throw new Error(`the engine does not say which volume a worker has at \`${path}\``);
	}

	return volume;
}
