/**
 * Workers: short-lived containers of Holdfast's own image. They have no socket, no state, a read-only root and few capabilities.
 * Secrets reach them with each command, never in their configuration.
 */
import {type Place, succeed} from '../base/command.ts';
import type {CreateOptions} from './calls/containers.ts';
import {capabilitiesFor, clientCapabilities, dumpCapabilities, type FileUse} from './capabilities.ts';
import {type Container, workerLabel} from './container.ts';
import {agentLabel, removeAll} from './dismiss.ts';
import type {Engine} from './engine.ts';
import {inContainer} from './exec.ts';
import {lackedPrograms, lend} from './lend.ts';
import {hasMounted, type Self} from './self.ts';
import {borrowersGraceSeconds, borrowersLifeline, lifelineAnywhere, lifelineOf, type Tether, tether} from './tether.ts';
import {assertSubpaths, engineMount, shownAt, volumeAt, type WorkerMount} from './worker-mounts.ts';

/** The folder that all workers of a run share; on disk, in a volume of its own. */
export const staging = '/staging';

/** Where a container that `scratch` makes can write. */
export const scratchFolder = '/scratch';

/** Where a worker that only looks has the folder of this number. */
export const lookedAt = (index: number): string => `/look/${index}`;

const own = lifelineOf({last: 'restic'});
const borrowing = lifelineOf({last: 'restic', grace: borrowersGraceSeconds});
/** Longer than those who have the folder of it, and their restic, may take. */
const keeping = lifelineOf({grace: 25});
const alive = ({life}: Tether): string[] => ['/usr/bin/tini', '--', ...life];
const anywhere = lifelineAnywhere();
/** Untied, and gone by itself: it does one thing, which takes a moment, and there is one after each change of what runs on the engine. */
const onlyLooking = ['/usr/bin/tini', '--', 'sleep', '120'];

/** What a drill's container may take of the host: enough to load any database, slowly. Its memory is its own, whatever the agent may have. */
const scratchLimits = {
	Memory: 2 * 1024 ** 3,
	MemorySwap: 0,
	MemoryReservation: 0,
	ShmSize: 512 * 1024 ** 2,
	PidsLimit: 1024,
	CpuShares: 512,
};

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
	/** Removes all that was made. Every removal is tried. */
	dismiss: () => Promise<void>;
}

const hostPrefix = 'holdfast-';

/** The run of a repository worker, by its host name. */
export const runOfWorkerHost = (host: string): string | undefined =>
	host.startsWith(hostPrefix) ? host.slice(hostPrefix.length) : undefined;

/** Whether the agent, and with it what reaches the repository, has the network of another container: a VPN's, as a rule. */
export const livesInAnother = ({networkMode}: Pick<Self, 'networkMode'>): boolean => networkMode.startsWith('container:');

/** The run of a worker; undefined for every other container. */
export const runOfWorker = ({labels}: Container): string | undefined => labels[workerLabel];

interface HireOptions {
	engine: Engine;
	self: Self;
	agentId: string;
	run: string;
	/** No repository is reached through a network: then its worker joins none, and takes no address that an application may have for its own. */
	offline?: boolean | undefined;
	/** In the network of another container, a repository worker's root is named as the run is: its locks have that container's host name, which others may have, too. */
	namesRoot?: boolean | undefined;
	/** Where restic keeps its cache: on a disk of its own where the agent's container has nothing mounted there, for a worker's root is read-only. */
	cacheDirectory?: string | undefined;
}

/**
 * The workers of one run. The first that has the staging folder makes its volume, nameless: the engine removes it with that worker, also where nobody
 * is left to ask for it. All are tied to the agent.
 */
export async function hireWorkers({
	engine,
	self,
	agentId,
	run,
	offline = false,
	namesRoot = false,
	cacheDirectory,
}: HireOptions): Promise<Workforce> {
	const labels = {[workerLabel]: run, [agentLabel]: agentId};
	const workers: string[] = [];
	const tethers: Array<() => void> = [];
	const stagingMount = {type: 'volume', to: staging, readOnly: false, labels} as const;
	let scratches = 0;
	/** Its name. */
	let stagingVolume: Promise<string> | undefined;

	const {limits, names, isolation} = self.inherited;
	const create = async (name: string, options: CreateOptions, mounts: readonly WorkerMount[]): Promise<string> => {
		const {HostConfig: hostConfig, ...rest} = options;
		const id = await engine.create(name, {
			Image: self.image,
			Labels: labels,
			Entrypoint: alive(own),
			Cmd: [],
			User: '0:0',
			// The image's own asks the agent, and there is none in here.
			Healthcheck: {Test: ['NONE']},
			WorkingDir: '/',
			...rest,
			HostConfig: {
				ReadonlyRootfs: true,
				CapDrop: ['ALL'],
				...limits,
				...isolation,
				SecurityOpt: ['no-new-privileges', ...(isolation.SecurityOpt ?? [])],
				AutoRemove: true,
				Tmpfs: {'/tmp': 'rw,nosuid,nodev'},
				Mounts: mounts.map(engineMount),
				...hostConfig,
			},
		});
		workers.push(id);
		await assertSubpaths(engine, id, mounts);
		return id;
	};

	const createStaged: typeof create = async (name, options, mounts) => {
		const createAt = async (from: string) => create(name, options, [{...stagingMount, from}, ...mounts]);
		if (stagingVolume !== undefined) {
			return createAt(await stagingVolume);
		}

		const first = createAt('');
		stagingVolume = first.then(async id => volumeAt(engine, id, staging));
		stagingVolume.catch(() => {
			stagingVolume = undefined;
		});
		await stagingVolume;
		return first;
	};

	/** Only as long as the agent lives: else it would keep volumes and networks from being removed. */
	const start = async (id: string, name: string, tie: Tether = own): Promise<Worker> => {
		await engine.start(id);
		tethers.push(tether(engine, id, tie));
		return {id, name, run: inContainer(engine, id)};
	};

	/** In the networks that the agent is in. */
	const online = async (
		name: string,
		options: CreateOptions,
		mounts: readonly WorkerMount[],
		[NetworkMode, ...further] = [self.networks[0] ?? self.networkMode, ...self.networks.slice(1)],
	): Promise<Worker> => {
		const tie = stagingVolume === undefined ? own : borrowing;
		const worker = await start(
			await createStaged(name, {Entrypoint: alive(tie), ...options, HostConfig: {...options.HostConfig, ...names, NetworkMode}}, mounts),
			name,
			tie,
		);
		for (const network of further) {
			await engine.connect(network, worker.id);
		}

		return worker;
	};

	/** Whoever has the folder at two places must call it by a name: it is the volume of a worker that has it, and does nothing. */
	const keepStaging = async (): Promise<void> => {
		const name = `holdfast-staging-${run}`;
		await start(await createStaged(name, {Entrypoint: alive(keeping), HostConfig: {NetworkMode: 'none'}}, []), name, keeping);
	};

	const withRepository = async (
		name: string,
		mounts: readonly WorkerMount[],
		{use, host}: {use: FileUse; host: string},
	): Promise<Worker> => {
		const agents = self.mounts.map(mount => shownAt(mount, {to: mount.path, readOnly: !mount.readWrite}));
		if (cacheDirectory !== undefined && !hasMounted(self, cacheDirectory)) {
			agents.push({type: 'volume', from: '', to: cacheDirectory, readOnly: false, labels});
		}

		if (stagingVolume === undefined && mounts.some(({from}) => from === staging)) {
			await keepStaging();
		}

		const from = await stagingVolume;
		const wanted = mounts.map(mount => (mount.from === staging && from !== undefined ? {...stagingMount, ...mount, from} : mount));
		// The host name is what restic writes into its locks: it must tell this worker from every other.
		// In the network of another container it has that one's, and the engine refuses any other.
		const isNamed = !livesInAnother(self) || offline;
		const options = {
			...(isNamed ? {Hostname: host} : {}),
			// Who is root writes that into its locks, too; rclone is told that it is root all the same.
			...(isNamed || !namesRoot ? {} : {Env: ['USER=root']}),
			HostConfig: {CapAdd: capabilitiesFor(use, mounts), ReadonlyRootfs: isNamed || !namesRoot},
		};
		const worker = await online(name, options, [...agents, ...wanted], offline ? ['none'] : undefined);
		if (!isNamed && namesRoot) {
			// Without it its locks only take longer to be known for those of a dead one.
			await succeed(worker.run, {argv: ['sed', '-i', `s/^root:/${host}:/`, '/etc/passwd']}).catch(() => {});
		}

		return worker;
	};

	return {
		repository: async (mounts, use, host = `${hostPrefix}${run}`) => withRepository(`holdfast-repository-${run}`, mounts, {use, host}),
		further: async mounts =>
			withRepository(`holdfast-further-${run}-${workers.length}`, mounts, {use: 'read', host: `${hostPrefix}${run}`}),
		client: async () => online(`holdfast-client-${run}`, {HostConfig: {CapAdd: clientCapabilities}}, []),
		async dump(containerId) {
			const name = `holdfast-dump-${run}-${containerId.slice(0, 12)}`;
			const HostConfig = {CapAdd: dumpCapabilities, NetworkMode: 'none', PidMode: `container:${containerId}`};
			// Without tini: where it dies first, its child would belong to the database's first process, which takes the child's death for a crash.
			return start(await createStaged(name, {Entrypoint: borrowersLifeline.life, HostConfig}, []), name, borrowersLifeline);
		},
		async look(paths) {
			const name = `holdfast-look-${run}`;
			const mounts = paths.map((from, index) => ({type: 'bind', from, to: lookedAt(index), readOnly: true}) as const);
			const id = await create(name, {Entrypoint: onlyLooking, HostConfig: {NetworkMode: 'none'}}, mounts);
			await engine.start(id);
			return {id, name, run: inContainer(engine, id)};
		},
		async scratch(image, env) {
			const name = `holdfast-scratch-${run}-${++scratches}`;
			const Env = Object.entries(env).map(([variable, value]) => `${variable}=${value}`);
			// It has nobody's files: where the agent is outside of the engine's user namespace, it is inside, as its volume is.
			const HostConfig = {NetworkMode: 'none', UsernsMode: '', ...scratchLimits};
			const createScratch = async (root: {ReadonlyRootfs: boolean}): Promise<string> =>
				create(name, {Image: image, Entrypoint: anywhere.life, Env, HostConfig: {...HostConfig, ...root}}, [
					{...stagingMount, from: '', to: scratchFolder},
				]);
			let id = await createScratch({ReadonlyRootfs: true});
			const lacking = await lackedPrograms(engine, id);
			if (lacking.length > 0) {
				await engine.remove(id);
				// Into a root that is read-only the engine puts nothing.
				id = await createScratch({ReadonlyRootfs: false});
				await lend(engine, id, lacking);
			}

			const worker = await start(id, name, anywhere);
			return {...worker, dismiss: async () => removeAll(engine, [id], [])};
		},
		async dismiss() {
			for (const letGo of tethers) {
				letGo();
			}

			const volume = await stagingVolume?.catch(() => undefined);
			await removeAll(engine, workers, volume === undefined ? [] : [volume]);
		},
	};
}
