/** The container that the agent itself runs in: its image, mounts and network are what workers get. */
import {readFile} from 'node:fs/promises';
import {hostname} from 'node:os';
import {RunError} from '../base/errors.ts';
import type {Mount} from './container.ts';
import type {ContainerDetails} from './details.ts';
import type {Engine} from './engine.ts';
import {type Evidence, likeness, readEvidence} from './evidence.ts';
import {type Inherited, inheritedFrom, type WorkerLimits} from './inherited.ts';
import {statusOf} from './refusal.ts';
import {isInside} from './storage.ts';

export interface Self {
	/** Undefined where the agent does not run in a container of this engine. */
	containerId: string | undefined;
	/** The engine starts its container again when it ends. */
	restarts?: boolean | undefined;
	/** What workers are made of. */
	image: string;
	/** Where the repository, the cache and secret files are: everything but the engine's socket and the state. */
	mounts: readonly Mount[];
	networkMode: string;
	networks: readonly string[];
	/** How names are resolved and what may be used, as the agent's own container has it. */
	inherited: Inherited;
}

interface FindSelf {
	/** `HOLDFAST_IMAGE`: needed only where the agent's own container cannot be found. */
	image?: string | undefined;
	/** `HOLDFAST_CONTAINER`: the name or id of the agent's own container, where it cannot find out. */
	container?: string | undefined;
	stateDirectory: string;
	/** The folder of what the agent shows to the engine. */
	keysDirectory?: string | undefined;
	/** What workers may use, where it is not what the agent itself may. */
	limits?: WorkerLimits | undefined;
}

/** Whether what is in this folder of the agent's container is in its workers, too. */
export const hasMounted = ({mounts}: Pick<Self, 'mounts'>, folder: string): boolean => mounts.some(({path}) => isInside(folder, path));

/** @throws when it cannot be known what workers are made of */
export async function findSelf(engine: Engine, {image, container, stateDirectory, keysDirectory, limits}: FindSelf): Promise<Self> {
	const details = container === undefined ? await ownContainer(engine) : await namedContainer(engine, container);
	if (details === undefined) {
		if (image === undefined) {
			throw new RunError('the agent does not find its own container on this engine', {
				hint: 'where it runs in one of this engine, set HOLDFAST_CONTAINER to its name; else set HOLDFAST_IMAGE to the image that its workers are made of',
			});
		}

		return {containerId: undefined, image, mounts: [], networkMode: 'default', networks: [], inherited: inheritedFrom({}, limits)};
	}

	return {
		containerId: details.id,
		restarts: !['', 'no', undefined].includes(details.hostConfig.RestartPolicy?.Name),
		image: image ?? details.imageId,
		mounts: details.mounts.filter(mount => mayBeShared(mount, {stateDirectory, keysDirectory, engineAddress: engine.address})),
		networkMode: details.networkMode,
		networks: details.networks,
		inherited: inheritedFrom(details.hostConfig, limits),
	};
}

const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** Pure: neither the state, nor a socket, nor the folder in which the engine's is, nor what opens the engine. */
export function mayBeShared(
	{path, hostPath}: Pick<Mount, 'path' | 'hostPath'>,
	{stateDirectory, keysDirectory, engineAddress}: {stateDirectory: string; keysDirectory?: string | undefined; engineAddress: string},
): boolean {
	const socket = engineAddress.replace(/^unix:\/\//, '');
	const isOfKeys = keysDirectory !== undefined && (isWithin(path, keysDirectory) || isWithin(keysDirectory, path));
	return !isWithin(path, stateDirectory) && !isOfKeys && !isWithin(socket, path) && !path.endsWith('.sock') && !hostPath.endsWith('.sock');
}

async function namedContainer(engine: Engine, name: string): Promise<ContainerDetails> {
	try {
		return await engine.inspect(name);
	} catch (error) {
		if (statusOf(error) === 404) {
			throw new RunError(`\`HOLDFAST_CONTAINER\` must name the agent's own container, and this engine has no \`${name}\``, {
				hint: 'docker ps lists the names',
			});
		}

		throw error;
	}
}

/** The one that fits best of those that run; never one of which it is known that it is another's, whatever names are seen in here. */
async function ownContainer(engine: Engine): Promise<ContainerDetails | undefined> {
	const [mountinfo, cgroup] = await Promise.all([
		readFile('/proc/self/mountinfo', 'utf8'),
		readFile('/proc/self/cgroup', 'utf8').catch(() => ''),
	]);
	const evidence = readEvidence(mountinfo, cgroup);
	const likely = new Set([evidence.accounted, ...evidence.named, hostname()]);
	let best: {details: ContainerDetails; likeness: number} | undefined;
	const containers = (await engine.list()).filter(({state}) => state === 'running' || state === 'paused');
	const isLikely = ({id}: {id: string}) => [...likely].some(known => known !== undefined && id.startsWith(known));
	for (const {id} of containers.toSorted((a, b) => Number(isLikely(b)) - Number(isLikely(a)))) {
		const details = await engine.inspect(id).catch(unlessGone);
		const found = details === undefined ? 0 : likeness(evidence, details);
		if (details !== undefined && found > (best?.likeness ?? 0)) {
			best = {details, likeness: found};
		}

		if (isCertain(evidence, best)) {
			break;
		}
	}

	return best?.details;
}

const unlessGone = (error: unknown): undefined => {
	if (statusOf(error) !== 404) {
		throw error;
	}
};

const isCertain = ({rootFolder, accounted}: Evidence, best: {details: ContainerDetails} | undefined): boolean =>
	best !== undefined && (accounted === best.details.id || (rootFolder !== undefined && best.details.rootFolder !== undefined));
