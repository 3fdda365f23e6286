/** The container that the agent itself runs in: its image, mounts and network are what workers get. */
import {readFile} from 'node:fs/promises';
import {hostname} from 'node:os';
import type {Mount} from './container.ts';
import type {ContainerDetails, Engine} from './engine.ts';

export interface Self {
	/** Undefined where the agent does not run in a container of this engine. */
	containerId: string | undefined;
	/** What workers are made of. */
	image: string;
	/** Where the repository, the cache and secret files are: everything but the engine's socket and the state. */
	mounts: readonly Mount[];
	networkMode: string;
	networks: readonly string[];
}

/**
 * @param image `HOLDFAST_IMAGE`: needed only where the agent's own container cannot be found.
 * @throws when neither gives an image
 */
export async function findSelf(
	engine: Engine,
	{image, stateDirectory}: {image?: string | undefined; stateDirectory: string},
): Promise<Self> {
	const details = await ownContainer(engine);
	if (details === undefined) {
		if (image === undefined) {
			throw new Error(
				'the agent does not find its own container on this engine: set HOLDFAST_IMAGE to the image that its workers are made of',
			);
		}

		return {containerId: undefined, image, mounts: [], networkMode: 'default', networks: []};
	}

	return {
		containerId: details.id,
		image: image ?? details.imageId,
		mounts: details.mounts.filter(mount => mayBeShared(mount, {stateDirectory, engineAddress: engine.address})),
		networkMode: details.networkMode,
		networks: details.networks,
	};
}

const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** Pure: neither the state, nor a socket, nor the folder in which the engine's is. */
export function mayBeShared(
	{path, hostPath}: Pick<Mount, 'path' | 'hostPath'>,
	{stateDirectory, engineAddress}: {stateDirectory: string; engineAddress: string},
): boolean {
	const socket = engineAddress.replace(/^unix:\/\//, '');
	return !isWithin(path, stateDirectory) && !isWithin(socket, path) && !path.endsWith('.sock') && !hostPath.endsWith('.sock');
}

/** The host name is the container's id by default; where it was changed, the files that the engine mounts into every container tell it. */
async function ownContainer(engine: Engine): Promise<ContainerDetails | undefined> {
	const mounts = await readFile('/proc/self/mountinfo', 'utf8');
	const fromMounts = /\/containers\/([0-9a-f]{64})\/(?:hostname|hosts|resolv\.conf)/.exec(mounts)?.[1];
	for (const candidate of [fromMounts, hostname()]) {
		if (candidate !== undefined) {
			try {
				return await engine.inspect(candidate);
			} catch {
				// Not on this engine: a remote one, or a host name of one's own.
			}
		}
	}

	return undefined;
}
