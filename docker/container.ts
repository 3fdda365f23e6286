/** What the rest of Holdfast knows of a container. Made once, from the engine's list, in `agent/targets/discovery.ts`. */

import {normalize} from 'node:path/posix';
import {composeService, dependencies} from './compose.ts';
import {type SwarmTask, stackService, swarmTask} from './stack.ts';

/** A folder, by the name that something gives it: the host, a volume, a server, a file system. */
export interface Folder {
	/** Who gives the name. Only folders of one are compared. */
	in: string;
	/** Absolute in there. */
	path: string;
}

export interface Mount {
	type: 'volume' | 'bind';
	/** The volume's name; none for a bind mount. */
	volume?: string | undefined;
	/** The path on the host (of a volume: its data directory). */
	hostPath: string;
	/** The path in the container. */
	path: string;
	readWrite: boolean;
	/** Only this folder of the volume is mounted: relative, without slashes at its ends. */
	subpath?: string | undefined;
	/** Further names of the same folder, beside the volume's and the host's: what it is by its options, or as the kernel has it. */
	folders?: readonly Folder[] | undefined;
	/** What else is mounted below it. */
	inner?: readonly Folder[] | undefined;
	/** It shows the volumes of the whole engine, all of the host, or the folder that other projects are in: who has it looks after them, and is no writer of each. */
	isOfAll?: boolean | undefined;
	/** Its container may administer the machine (CAP_SYS_ADMIN), and so give its files attributes that the system keeps for itself. */
	isAdministered?: boolean | undefined;
	/** The host's path leads elsewhere since the container was started, which still has what it led to before. */
	isAstray?: boolean | undefined;
	/** A single file of which the host has another at its path since the container was started, which has that with its next start. */
	isRewritten?: boolean | undefined;
	/** The host has nothing at its path any more: who runs has what was there, and is not started with it again. */
	isGone?: boolean | undefined;
}

export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

export interface Container {
	id: string;
	/** Without the leading slash. */
	name: string;
	image: string;
	imageId: string;
	state: ContainerState;
	/** Milliseconds since 1970. Its mounts are as they were then. */
	createdAt: number;
	/** The Compose project (or Swarm's stack) and service, where it has them and they are well-formed. */
	project?: string | undefined;
	service?: string | undefined;
	/** It is a task of Docker Swarm; its stack is its project. */
	swarm?: SwarmTask | undefined;
	/** Compose services of the same project that must be up before this one. */
	dependsOn: readonly string[];
	/** Those of them that it is to be started anew with: `depends_on` with `restart: true`. */
	restartsWith?: readonly string[] | undefined;
	/** The containers whose network, PID or IPC namespace is its own, as the engine was told: by id or name. */
	livesIn?: readonly string[] | undefined;
	labels: Readonly<Record<string, string>>;
	/** Those in the container that its image or its settings name. */
	ports?: readonly number[] | undefined;
	mounts: readonly Mount[];
	/** Paths that are in memory: tmpfs. */
	memory?: readonly string[] | undefined;
	/** Nothing can be written outside of its mounts. */
	isRootReadOnly?: boolean | undefined;
	/** The engine did not answer when it was asked what only an inspection tells: subpaths, memory, namespaces. */
	isUnanswered?: boolean | undefined;
}

/** It has processes, or is about to have some again. */
export const isUp = ({state}: Pick<Container, 'state'>): boolean => state === 'running' || state === 'paused' || state === 'restarting';

/** As people know it: each task of a service of Swarm has another name. */
export const knownName = ({name, swarm}: Pick<Container, 'name' | 'swarm'>): string => swarm?.name ?? name;

/** What outlives a container that is made anew; the next task of a service of Swarm has another name. */
export const lastingName = ({name, swarm}: Pick<Container, 'name' | 'swarm'>): string =>
	swarm === undefined ? name : `service ${swarm.service}`;

/** Marks Holdfast's own short-lived containers, with their run. Not configurable: an agent must know another agent's workers too. */
export const workerLabel = 'holdfast.worker';

/**
 * On a worker that writes what its target has (a restore, or its undo), with the places of that in the worker as JSON. Agents of one engine know by it
 * what another of them has in hand.
 */
export const writingLabel = 'holdfast.writes';

/** Whether the worker writes there what its target has. What else it may write, as its agent's repository, is nobody's target. */
export const isWrittenBy = ({labels}: Pick<Container, 'labels'>, {path, readWrite}: Mount): boolean =>
	readWrite && (labels[writingLabel] ?? '').includes(JSON.stringify(path));

/** What is read of an entry of the engine's list, `GET /containers/json?all=1`. */
export interface ListedContainer {
	Id: string;
	Names: readonly string[] | null;
	Image: string;
	ImageID: string;
	State: string;
	/** Seconds since 1970. */
	Created: number;
	Labels: Readonly<Record<string, string>> | null;
	Ports?: ReadonlyArray<{PrivatePort: number}> | null;
	HostConfig?: {NetworkMode?: string | undefined} | undefined;
	Mounts?: ReadonlyArray<{Type: string; Name?: string | undefined; Source: string; Destination: string; RW: boolean}> | null;
}

export function containerFromList(entry: ListedContainer): Container {
	const labels = entry.Labels ?? {};
	const swarm = swarmTask(labels);
	// A container has further names where others link to it: those hold a second slash.
	const name = (entry.Names ?? []).find(candidate => candidate.lastIndexOf('/') === 0);
	return {
		id: entry.Id,
		name: name?.slice(1) ?? entry.Id.slice(0, 12),
		image: entry.Image,
		imageId: entry.ImageID,
		state: entry.State as ContainerState,
		createdAt: entry.Created * 1000,
		...(composeService(labels) ?? stackService(labels)),
		...(swarm && {swarm}),
		...dependencies(labels),
		livesIn: hostsOf([entry.HostConfig?.NetworkMode]),
		labels,
		...(entry.Ports?.length ? {ports: [...new Set(entry.Ports.map(({PrivatePort}) => PrivatePort))]} : {}),
		mounts: (entry.Mounts ?? []).flatMap(mountFromList),
	};
}

/** Of modes of namespaces, the containers that they name: `container:ID`. */
export const hostsOf = (modes: ReadonlyArray<string | undefined>): string[] => [
	...new Set(modes.flatMap(mode => (mode?.startsWith('container:') ? [mode.slice('container:'.length)] : []))),
];

/** Memory, pipes, images and cluster volumes hold nothing that is backed up. */
function mountFromList({
	Type: type,
	Name: volume,
	Source: source,
	Destination: path,
	RW: readWrite,
}: NonNullable<ListedContainer['Mounts']>[number]): Mount[] {
	if (type !== 'volume' && type !== 'bind') {
		return [];
	}

	return [{type, volume: type === 'volume' ? volume : undefined, hostPath: source && tidy(source), path: tidy(path), readWrite}];
}

const tidy = (path: string): string => normalize(path).replace(/(?<=.)\/$/, '');
