/**
 * Workers: short-lived containers of Holdfast's own image. They have no socket, no state, a read-only root and few capabilities.
 * Secrets reach them with each command, never in their configuration.
 */
import type {Place} from '../base/command.ts';
import type {FileUse} from './capabilities.ts';
import {type Container, workerLabel} from './container.ts';
import type {Self} from './self.ts';
import type {WorkerMount} from './worker-mounts.ts';

/** The folder that all workers of a run share; on disk, in a volume of its own. */
export const staging = '/staging';

/** Where a container that `scratch` makes can write. */
export const scratchFolder = '/scratch';

/** Where a worker that only looks has the folder of this number. */
export const lookedAt = (index: number): string => `/look/${index}`;

export interface Worker {
	id: string;
	name: string;
	/** Where its commands run. */
	run: Place;
}

/** Gone with all that it wrote, when it is dismissed; at the latest with the others. */
export interface ScratchWorker extends Worker {
	dismiss: () => Promise<void>;
}

export interface Workforce {
	/**
	 * Has the target's mounts (one from `staging` is a further place of that folder), the agent's repository, cache and (where a repository is reached by it) network; runs restic, and reads or writes files. Only with `write all` can it make devices.
	 * @param host the host name that stands in restic's locks; by default one that tells the run
	 */
	repository: (mounts: readonly WorkerMount[], use: FileUse, host?: string) => Promise<Worker>;
	/** A further one beside that, which only reads: of what was made since. */
	further: (mounts: readonly WorkerMount[]) => Promise<Worker>;
	/** Has neither secrets nor network; joins a container's pid namespace to run that container's own programs as its own user. */
	dump: (containerId: string) => Promise<Worker>;
	/** Has the agent's network, and neither secrets nor anybody's mounts; runs PostgreSQL's client programs for a server that is no container here. */
	client: () => Promise<Worker>;
	/** Sees folders of the host at `lookedAt` of their number, and may only read. Has neither secrets, network nor capabilities. Ends within two minutes. */
	look: (paths: readonly string[]) => Promise<Worker>;
	/** Of any image, and idle: no network, no secrets, no capabilities, nobody's mounts, limits, and a volume of its own to write to. */
	scratch: (image: string, env: Readonly<Record<string, string>>) => Promise<ScratchWorker>;
	/** Is done when they are dismissed, while they are still there. It must not reject. */
	onDismiss: (work: () => Promise<void>) => void;
	/** Removes all that was made. Every removal is tried. */
	dismiss: () => Promise<void>;
}

const hostPrefix = 'holdfast-';

/** By default it tells the run. */
export const workerHost = (run: string): string => `${hostPrefix}${run}`;

/** The run of a repository worker, by its host name. */
export const runOfWorkerHost = (host: string): string | undefined =>
	host.startsWith(hostPrefix) ? host.slice(hostPrefix.length) : undefined;

/** Whether the agent, and with it what reaches the repository, has the network of another container: a VPN's, as a rule. */
export const livesInAnother = ({networkMode}: Pick<Self, 'networkMode'>): boolean => networkMode.startsWith('container:');

/** The run of a worker; undefined for every other container. */
export const runOfWorker = ({labels}: Container): string | undefined => labels[workerLabel];
