/** Hires the workers of one run. All are tied to the agent. */
import {succeed} from '../base/command.ts';
import type {CreateOptions} from './calls/containers.ts';
import {capabilitiesFor, clientCapabilities, dumpCapabilities, type FileUse, isWriting} from './capabilities.ts';
import {writingLabel} from './container.ts';
import type {Engine} from './engine.ts';
import {inContainer} from './exec.ts';
import {hireScratch} from './scratch.ts';
import {hasMounted, type Self} from './self.ts';
import {borrowersLifeline} from './tether.ts';
import {alive, createTied} from './tied.ts';
import {livesInAnother, lookedAt, staging, type Worker, type Workforce, workerHost} from './worker.ts';
import {shownAt, type WorkerMount} from './worker-mounts.ts';

/** Untied, and gone by itself: it does one thing, which takes a moment, and there is one after each change of what runs on the engine. */
const onlyLooking = ['/usr/bin/tini', '--', 'sleep', '120'];

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

export async function hireWorkers({
	engine,
	self,
	agentId,
	run,
	offline = false,
	namesRoot = false,
	cacheDirectory,
}: HireOptions): Promise<Workforce> {
	const tied = createTied({engine, self, agentId, run});
	const {create, createStaged, start, labels} = tied;
	let scratches = 0;

	/** In the networks that the agent is in. */
	const online = async (
		name: string,
		options: CreateOptions,
		mounts: readonly WorkerMount[],
		[NetworkMode, ...further] = [self.networks[0] ?? self.networkMode, ...self.networks.slice(1)],
	): Promise<Worker> => {
		const tie = tied.tie();
		const worker = await start(
			await createStaged(
				name,
				{Entrypoint: alive(tie), ...options, HostConfig: {...options.HostConfig, ...self.inherited.names, NetworkMode}},
				mounts,
			),
			name,
			tie,
		);
		for (const network of further) {
			await engine.connect(network, worker.id);
		}

		return worker;
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

		const written = isWriting(use) ? mounts.filter(({readOnly, from}) => !readOnly && from !== staging).map(({to}) => to) : [];
		const wanted = await tied.withStaging(mounts);
		// The host name is what restic writes into its locks: it must tell this worker from every other.
		// In the network of another container it has that one's, and the engine refuses any other.
		const isNamed = !livesInAnother(self) || offline;
		const options = {
			...(isNamed ? {Hostname: host} : {}),
			// Who is root writes that into its locks, too; rclone is told that it is root all the same.
			...(isNamed || !namesRoot ? {} : {Env: ['USER=root']}),
			...(written.length === 0 ? {} : {Labels: {...labels, [writingLabel]: JSON.stringify(written)}}),
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
		repository: async (mounts, use, host = workerHost(run)) => withRepository(`holdfast-repository-${run}`, mounts, {use, host}),
		further: async mounts => withRepository(`holdfast-further-${run}-${tied.count()}`, mounts, {use: 'read', host: workerHost(run)}),
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
		scratch: async (image, env) => hireScratch(engine, tied, {name: `holdfast-scratch-${run}-${++scratches}`, image, env}),
		onDismiss: tied.onDismiss,
		dismiss: tied.dismiss,
	};
}
