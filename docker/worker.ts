/**
 * Workers: short-lived containers of Holdfast's own image. They have no socket, no state, a read-only root and few capabilities.
 * Secrets reach them with each command, never in their configuration.
 */
import {type Place, succeed} from '../base/command.ts';
import {type Container, workerLabel} from './container.ts';
import {agentLabel, removeAll} from './dismiss.ts';
import type {CreateOptions, Engine} from './engine.ts';
import {inContainer} from './exec.ts';
import {lackedPrograms, lend} from './lend.ts';
import type {Self} from './self.ts';
import {tether} from './tether.ts';
import {assertSubpaths, engineMount, shownAt, type WorkerMount} from './worker-mounts.ts';

/** The folder that all workers of a run share; on disk, in a volume of its own. */
export const staging = '/staging';

/** Where a container that `scratch` makes can write. */
export const scratchFolder = '/scratch';

/** Where a worker that only looks has the folder of this number. */
export const lookedAt = (index: number): string => `/look/${index}`;

/** A worker that its agent forgot ends by itself after this long. */
const lifetimeSeconds = 7 * 24 * 3600;

/** What a worker does by itself. */
const idle = ['sleep', String(lifetimeSeconds)];

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
	 * Has the target's mounts, the agent's repository, cache and (where a repository is reached by it) network; runs restic, and reads or writes files. Only with `write all` can it make devices.
	 * @param host the host name that stands in restic's locks; by default one that tells the run
	 */
	repository: (mounts: readonly WorkerMount[], use: keyof typeof fileCapabilities, host?: string) => Promise<Worker>;
	/** A further one beside that, which only reads: of what was made since. */
	further: (mounts: readonly WorkerMount[]) => Promise<Worker>;
	/** Has neither secrets nor network; joins a container's pid namespace to run that container's own programs as its own user. */
	dump: (containerId: string) => Promise<Worker>;
	/** Has the agent's network, and neither secrets nor anybody's mounts; runs PostgreSQL's client programs for a server that is no container here. */
	client: () => Promise<Worker>;
	/** Sees folders of the host at `lookedAt` of their number, and may only read. Has neither secrets, network nor capabilities. */
	look: (paths: readonly string[]) => Promise<Worker>;
	/** Of any image, and idle: no network, no secrets, no capabilities, nobody's mounts, limits, and a volume of its own to write to. */
	scratch: (image: string, env: Readonly<Record<string, string>>) => Promise<ScratchWorker>;
	/** Removes all that was made. Every removal is tried. */
	dismiss: () => Promise<void>;
}

/**
 * What the repository worker needs: to read everybody's files, and to open a SQLite database that belongs to another user (SQLite
 * gives the `-wal` and `-shm` that it makes to the database's owner); to write, owners, modes and file capabilities too; and devices where whole volumes are put back.
 */
const fileCapabilities = {
	read: ['DAC_READ_SEARCH', 'DAC_OVERRIDE', 'CHOWN'],
	/** btrfs makes a snapshot of a folder for its owner alone, or for who may do what owners may. */
	snapshot: ['DAC_READ_SEARCH', 'DAC_OVERRIDE', 'CHOWN', 'FOWNER'],
	write: ['DAC_READ_SEARCH', 'DAC_OVERRIDE', 'CHOWN', 'FOWNER', 'FSETID', 'SETFCAP'],
	'write all': ['DAC_READ_SEARCH', 'DAC_OVERRIDE', 'CHOWN', 'FOWNER', 'FSETID', 'SETFCAP', 'MKNOD'],
};

/** What it takes to enter another container's file system as its user. */
const dumpCapabilities = ['SYS_PTRACE', 'SYS_CHROOT', 'SETUID', 'SETGID', 'DAC_READ_SEARCH', 'KILL'];

/** What it takes to run psql as nobody, and to end it. */
const clientCapabilities = ['SETUID', 'SETGID', 'KILL'];

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
}

/** The workers of one run. The staging volume is made at once. */
export async function hireWorkers({engine, self, agentId, run, offline = false, namesRoot = false}: HireOptions): Promise<Workforce> {
	const labels = {[workerLabel]: run, [agentLabel]: agentId};
	const stagingVolume = `holdfast-staging-${run}`;
	const workers: string[] = [];
	const tethers: Array<() => void> = [];
	const volumes = [stagingVolume];
	const stagingMount = {type: 'volume', from: stagingVolume, to: staging, readOnly: false} as const;
	await engine.createVolume(stagingVolume, labels);

	const {limits, names, isolation} = self.inherited;
	const create = async (name: string, options: CreateOptions, mounts: readonly WorkerMount[]): Promise<string> => {
		const {HostConfig: hostConfig, ...rest} = options;
		const id = await engine.create(name, {
			Image: self.image,
			Labels: labels,
			Entrypoint: ['/usr/bin/tini', '--', ...idle],
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

	const start = async (id: string, name: string): Promise<Worker> => {
		await engine.start(id);
		return {id, name, run: inContainer(engine, id)};
	};

	const hire = async (name: string, options: CreateOptions, mounts: readonly WorkerMount[]): Promise<Worker> =>
		start(await create(name, options, mounts), name);

	/** Only as long as the agent lives: else it would keep volumes and networks from being removed. */
	const tied: typeof hire = async (...settings) => {
		const worker = await hire(...settings);
		tethers.push(tether(engine, worker.id));
		return worker;
	};

	/** In the networks that the agent is in. */
	const online = async (
		name: string,
		options: CreateOptions,
		mounts: readonly WorkerMount[],
		[NetworkMode, ...further] = [self.networks[0] ?? self.networkMode, ...self.networks.slice(1)],
	): Promise<Worker> => {
		const worker = await tied(name, {...options, HostConfig: {...options.HostConfig, ...names, NetworkMode}}, mounts);
		for (const network of further) {
			await engine.connect(network, worker.id);
		}

		return worker;
	};

	const withRepository = async (
		name: string,
		mounts: readonly WorkerMount[],
		{use, host}: {use: keyof typeof fileCapabilities; host: string},
	): Promise<Worker> => {
		const own = self.mounts.map(mount => shownAt(mount, mount.path, !mount.readWrite));
		// The host name is what restic writes into its locks: it must tell this worker from every other.
		// In the network of another container it has that one's, and the engine refuses any other.
		const isNamed = !livesInAnother(self) || offline;
		const options = {
			...(isNamed ? {Hostname: host} : {}),
			// Who is root writes that into its locks, too; rclone is told that it is root all the same.
			...(isNamed || !namesRoot ? {} : {Env: ['USER=root']}),
			HostConfig: {CapAdd: fileCapabilities[use], ReadonlyRootfs: isNamed || !namesRoot},
		};
		const worker = await online(name, options, [stagingMount, ...own, ...mounts], offline ? ['none'] : undefined);
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
		client: async () => online(`holdfast-client-${run}`, {HostConfig: {CapAdd: clientCapabilities}}, [stagingMount]),
		dump: async containerId =>
			hire(
				`holdfast-dump-${run}-${containerId.slice(0, 12)}`,
				// Without tini: where it dies first, its child would belong to the database's first process, which takes the child's death for a crash.
				{Entrypoint: idle, HostConfig: {CapAdd: dumpCapabilities, NetworkMode: 'none', PidMode: `container:${containerId}`}},
				[stagingMount],
			),
		look: async paths =>
			tied(
				`holdfast-look-${run}`,
				{HostConfig: {NetworkMode: 'none'}},
				paths.map((from, index) => ({type: 'bind', from, to: lookedAt(index), readOnly: true})),
			),
		async scratch(image, env) {
			const name = `holdfast-scratch-${run}-${volumes.length}`;
			volumes.push(name);
			await engine.createVolume(name, labels);
			const Env = Object.entries(env).map(([variable, value]) => `${variable}=${value}`);
			const createScratch = async (ReadonlyRootfs: boolean): Promise<string> =>
				create(name, {Image: image, Entrypoint: idle, Env, HostConfig: {NetworkMode: 'none', ReadonlyRootfs, ...scratchLimits}}, [
					{type: 'volume', from: name, to: scratchFolder, readOnly: false},
				]);
			let id = await createScratch(true);
			const lacking = await lackedPrograms(engine, id);
			if (lacking.length > 0) {
				await engine.remove(id);
				// Into a root that is read-only the engine puts nothing.
				id = await createScratch(false);
				await lend(engine, id, lacking);
			}

			const worker = await start(id, name);
			return {...worker, dismiss: async () => removeAll(engine, [id], [name])};
		},
		async dismiss() {
			for (const letGo of tethers) {
				letGo();
			}

			await removeAll(engine, workers, volumes);
		},
	};
}
