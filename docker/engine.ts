/**
 * The Docker Engine: the only importer of dockerode. Calls carry no API version (engine 29 refuses those below 1.44), and
 * what the engine answers for "is already so" (304) is no error here.
 */
import './unused.ts';
import {type Duplex, Readable} from 'node:stream';
import {text} from 'node:stream/consumers';
import Dockerode from 'dockerode';
import {answered, moving, stallLimitMs, standsStill} from '../base/patience.ts';
import {type Container, containerFromList} from './container.ts';
import {type ContainerDetails, detailsOf} from './details.ts';
import {createInspections, readInspection} from './inspection.ts';
import {explainPause, unless, unlessGone} from './refusal.ts';
import {explainShut} from './shut.ts';
import {type Scaled, type SwarmService, type SwarmTaskState, scaledLabel, scaledOf, scaledText} from './stack.ts';
import {currentTasks} from './tasks.ts';
import type {Volume} from './volumes.ts';

/** A call that has not answered by then is given up: the engine hangs or is gone. */
const callDeadlineMs = 60_000;

/** Node's timers take no more, and end at once beyond it: a grace period may be of months. */
const longestTimerMs = 2 ** 31 - 1;

/** A volume of a million files takes its time, and while one is removed the engine (20.10) lets every other wait. */
const removalDeadlineMs = 10 * 60_000;

/** A command has begun by then, on an engine that is busy with others, too. */
const execDeadlineMs = 120_000;

/** An engine that does not end its answer in time (it waits until the last second that was asked for is over) says nothing. */
const deathDeadlineMs = 5000;

const rememberedSeconds = 3600;

export interface ExecOptions {
	argv: readonly string[];
	env: readonly string[];
	user?: string | undefined;
	stdin: boolean;
}

/** One process started in a container. */
export interface EngineExec {
	/** Multiplexed output; writing is standard input. Its end says nothing about success. */
	stream: Duplex;
	inspect: () => Promise<{running: boolean; exitCode: number | null}>;
}

export interface Engine {
	/** Where the engine is, for messages. */
	readonly address: string;
	/** `time`: the engine's clock, in milliseconds since 1970; NaN when it does not say. */
	/** `isPodman`: it is Podman, which counts its own versions. `isManager`: of a Swarm, and may be asked for its services. `confined`: its containers' root is not the host's. `managers`: ids of the nodes of its Swarm that manage it, which every node knows. */
	info: () => Promise<{
		name: string;
		version: string;
		isPodman?: boolean;
		isManager?: boolean;
		confined?: 'rootless' | 'userns-remap' | undefined;
		managers?: readonly string[];
		dataRoot: string;
		time: number;
	}>;
	list: () => Promise<Container[]>;
	inspect: (id: string) => Promise<ContainerDetails>;
	pause: (id: string) => Promise<void>;
	unpause: (id: string) => Promise<void>;
	start: (id: string) => Promise<void>;
	/** SIGTERM (or the image's stop signal), after `timeoutSeconds` SIGKILL. */
	stop: (id: string, timeoutSeconds: number) => Promise<void>;
	/** Its processes, as the engine's host sees them: for a container without programs of its own. */
	top: (id: string) => Promise<Array<{uid: string; gid: string; argv: readonly string[]}>>;
	exec: (id: string, options: ExecOptions) => Promise<EngineExec>;
	/** What was started in it by `exec`, by whomever, and still runs. */
	executing: (id: string) => Promise<string[][]>;
	/** What is at a path on the container's file system. @throws with status 404 when there is nothing */
	stat: (id: string, path: string) => Promise<{isDirectory: boolean; linkTarget: string}>;
	/** A tar stream of a path on the container's file system; works on stopped and paused containers. */
	archive: (id: string, path: string, signal?: AbortSignal) => Promise<Readable>;
	/** Unpacks a tar stream into a folder of the container's file system; works on stopped and paused containers. */
	putArchive: (id: string, folder: string, archive: Readable, options: {replacesFolders: boolean}) => Promise<void>;
	create: (name: string, options: Dockerode.ContainerCreateOptions) => Promise<string>;
	connect: (network: string, id: string) => Promise<void>;
	/** Kills it when it runs. No error when it is gone. */
	remove: (id: string) => Promise<void>;
	listVolumes: (label: string) => Promise<string[]>;
	volumes: () => Promise<Volume[]>;
	/** No error when it is gone. */
	removeVolume: (name: string) => Promise<void>;
	/** A service of Swarm; undefined where there is none. @throws with status 503 where this node is no manager */
	service: (id: string) => Promise<SwarmService | undefined>;
	/** All that there are. @throws with status 503 where this node is no manager */
	services: () => Promise<SwarmService[]>;
	/** How many tasks a service of Swarm is to have. @param why is written on it, where it is to be scaled up again; else what was written is removed */
	scale: (service: string, replicas: number, why?: Scaled) => Promise<void>;
	/** The tasks of a service of Swarm, those that are over among them. */
	tasks: (service: string) => Promise<SwarmTaskState[]>;
	/** How a container ended within the last hour, also one that is gone by now; undefined where the engine has forgotten it: it remembers 256 events. */
	death: (id: string) => Promise<Death | undefined>;
	/** Container events as they come; the stream just ends when the engine goes. */
	events: (signal: AbortSignal) => Promise<Readable>;
}

export interface Death {
	name: string;
	exitCode: number;
}

export type CreateOptions = Dockerode.ContainerCreateOptions;

export type MountSettings = Dockerode.MountSettings;

/** `unix:///path`, `/path` or `tcp://host:port`, as in `DOCKER_HOST`. */
export function parseAddress(address: string): Dockerode.DockerOptions {
	if (address.startsWith('tcp://')) {
		const {hostname, port} = new URL(address);
		return {protocol: 'http', host: hostname.replace(/^\[|\]$/g, ''), port: port || '2375'};
	}

	return {socketPath: address.replace(/^unix:\/\//, '')};
}

function serviceFromList({ID: id, Spec: spec, ServiceStatus: status}: Dockerode.Service): SwarmService {
	const replicated = spec?.Mode?.Replicated;
	const {[scaledLabel]: _, ...labels} = spec?.Labels ?? {};
	return {
		id,
		name: spec?.Name ?? id,
		mode: replicated === undefined ? 'global' : 'replicated',
		replicas: replicated?.Replicas ?? 0,
		running: Number(status?.RunningTasks ?? 0),
		labels,
		scaled: scaledOf(spec?.Labels ?? {}),
		taskLabels: (spec?.TaskTemplate as {ContainerSpec?: {Labels?: Record<string, string>}} | undefined)?.ContainerSpec?.Labels ?? {},
	};
}

/** The engine reports modes as Go does, where the highest bit of 32 says directory. */
const goModeDirectory = 2 ** 31;

/** Each is a list of its own: `name=seccomp,profile=default`. */
function confinementOf(options: readonly string[]): 'rootless' | 'userns-remap' | undefined {
	const has = (name: string) => options.some(option => option.split(',').includes(`name=${name}`));
	return has('rootless') ? 'rootless' : has('userns') ? 'userns-remap' : undefined;
}

export function connectEngine(address: string): Engine {
	const docker = new Dockerode(parseAddress(address));
	const limited = (deadlineMs = callDeadlineMs) => ({abortSignal: AbortSignal.timeout(deadlineMs)});

	// Dockerode puts all that it sends into the address, too: a proxy before the engine logs it, the environment of a service among it, and refuses one that is long.
	const apart = (query: object, body: object) => ({_query: query, _body: body, ...limited()});

	// `status`: how many run (20.10 and later).
	const services = async (filters: Record<string, string[]> = {}): Promise<SwarmService[]> =>
		(await docker.listServices({filters, status: true, ...limited()} as Dockerode.ServiceListOptions)).map(serviceFromList);

	const inspected = createInspections({
		ask: async id => readInspection((await docker.getContainer(id).inspect(limited())).HostConfig),
		volumes: async () => engine.volumes(),
	});

	const engine: Engine = {
		address,
		async info() {
			const {socketPath} = parseAddress(address);
			const info = (await (docker as unknown as {info: (options: object) => Promise<unknown>}).info(limited()).catch((error: unknown) => {
				throw explainShut(error, socketPath);
			})) as unknown as {
				Name: string;
				ServerVersion: string;
				BuildahVersion?: string;
				SecurityOptions?: string[] | null;
				Swarm?: {ControlAvailable?: boolean; RemoteManagers?: Array<{NodeID?: string}> | null};
				DockerRootDir: string;
				SystemTime: string;
			};
			return {
				name: info.Name,
				version: info.ServerVersion,
				isPodman: info.BuildahVersion !== undefined,
				isManager: info.Swarm?.ControlAvailable === true,
				confined: confinementOf(info.SecurityOptions ?? []),
				managers: (info.Swarm?.RemoteManagers ?? []).flatMap(({NodeID: id}) => id ?? []),
				dataRoot: info.DockerRootDir,
				time: Date.parse(info.SystemTime),
			};
		},
		async list() {
			const listed = async () => (await docker.listContainers({all: true, ...limited()})).map(entry => containerFromList(entry));
			const containers = await listed();
			if (!containers.some(({swarm}) => swarm !== undefined)) {
				return inspected(containers);
			}

			// A node that is no manager is not told. Asked before, so that what runs by then is in the list.
			const known = await services().catch(() => undefined);
			return inspected(currentTasks(known === undefined ? containers : await listed(), known));
		},
		inspect: async id => detailsOf(await docker.getContainer(id).inspect(limited())),
		pause: async id => {
			await docker
				.getContainer(id)
				.pause(limited())
				.catch((error: unknown) => {
					throw explainPause(error);
				});
		},
		unpause: async id => {
			await docker.getContainer(id).unpause(limited());
		},
		start: async id => unless(304, docker.getContainer(id).start(limited())),
		stop: async (id, timeoutSeconds) => {
			const abortSignal = AbortSignal.timeout(Math.min(callDeadlineMs + timeoutSeconds * 1000, longestTimerMs));
			await unless(304, docker.getContainer(id).stop({t: timeoutSeconds, abortSignal}));
		},
		async exec(id, {argv, env, user, stdin}) {
			const exec = await docker.getContainer(id).exec({
				Cmd: [...argv],
				Env: [...env],
				AttachStdin: stdin,
				AttachStdout: true,
				AttachStderr: true,
				...(user === undefined ? {} : {User: user}),
				...limited(),
			});
			const stream = await answered('the start of a command', exec.start({hijack: true, stdin}), {
				withinMs: execDeadlineMs,
				late: each => each.destroy(),
			});
			return {
				stream,
				async inspect() {
					const {Running: running, ExitCode: exitCode} = await exec.inspect(limited());
					return {running, exitCode};
				},
			};
		},
		async executing(id) {
			const {ExecIDs: ids} = await docker.getContainer(id).inspect(limited());
			const found = await Promise.all((ids ?? []).map(async each => docker.getExec(each).inspect(limited()).catch(unlessGone)));
			return found.flatMap(each =>
				each?.Running ? [[each.ProcessConfig.entrypoint, ...((each.ProcessConfig.arguments as string[] | null) ?? [])]] : [],
			);
		},
		async stat(id, path) {
			const response = (await docker.getContainer(id).infoArchive({path, ...limited()})) as {headers: Record<string, string>};
			const header = response.headers['x-docker-container-path-stat'] ?? '';
			const {mode, linkTarget} = JSON.parse(Buffer.from(header, 'base64').toString()) as {mode: number; linkTarget: string};
			return {isDirectory: mode >= goModeDirectory, linkTarget};
		},
		async top(id) {
			const {Processes: processes} = (await docker.getContainer(id).top({ps_args: '-eo pid,uid,gid,args', ...limited()})) as {
				Processes: string[][];
			};
			return processes.map(([, uid = '', gid = '', line = '']) => ({uid, gid, argv: line.split(' ')}));
		},
		async archive(id, path, abortSignal) {
			const asked = docker.getContainer(id).getArchive({path, ...(abortSignal && {abortSignal})}) as unknown as Promise<Readable>;
			const stream = await answered(`\`${path}\` of a container`, asked, {withinMs: stallLimitMs(), late: each => each.destroy()});
			const archive = Readable.from(moving(stream, `\`${path}\` of a container`), {objectMode: false});
			archive.once('close', () => stream.destroy());
			return archive;
		},
		async putArchive(id, path, archive, {replacesFolders}) {
			const still = new AbortController();
			const end = () => still.abort(standsStill(`what is put to \`${path}\` of a container`));
			let timer = setTimeout(end, stallLimitMs());
			const ticking = async function* () {
				for await (const chunk of archive) {
					clearTimeout(timer);
					timer = setTimeout(end, stallLimitMs());
					yield chunk;
				}
			};
			try {
				await docker.getContainer(id).putArchive(Readable.from(ticking(), {objectMode: false}), {
					path,
					noOverwriteDirNonDir: replacesFolders ? 'false' : 'true',
					abortSignal: still.signal,
				});
			} catch (error) {
				throw still.signal.aborted ? still.signal.reason : error;
			} finally {
				clearTimeout(timer);
			}
		},
		create: async (name, options) => (await docker.createContainer(apart({name}, options))).id,
		connect: async (network, id) => {
			await docker.getNetwork(network).connect({Container: id, ...limited()});
		},
		remove: async id => unless(404, docker.getContainer(id).remove({force: true, v: true, ...limited(removalDeadlineMs)})),
		async listVolumes(label) {
			const {Volumes: volumes} = await docker.listVolumes({filters: {label: [label]}, ...limited()});
			return (volumes ?? []).map(volume => volume.Name);
		},
		async volumes() {
			const {Volumes: volumes} = await docker.listVolumes(limited());
			return (volumes ?? []).map(volume => {
				const {
					Name: name,
					Labels: labels,
					Driver: driver,
					Options: options,
					CreatedAt: created,
				} = volume as typeof volume & {CreatedAt?: string};
				const createdAt = Date.parse(created ?? '');
				return {name, driver, labels: labels ?? {}, options: options ?? {}, ...(Number.isNaN(createdAt) ? {} : {createdAt})};
			});
		},
		removeVolume: async name => unless(404, docker.getVolume(name).remove(limited(removalDeadlineMs))),
		service: async id => (await services({id: [id]}))[0],
		services: async () => services(),
		async scale(id, replicas, why) {
			const service = docker.getService(id);
			const {Version: version, Spec: spec} = (await service.inspect(limited())) as {Version: {Index: number}; Spec: Dockerode.ServiceSpec};
			const {[scaledLabel]: _, ...others} = spec.Labels ?? {};
			const labels = why === undefined ? others : {...others, [scaledLabel]: scaledText(why)};
			await service.update(
				apart(
					{version: version.Index},
					{...spec, ...(spec.Labels || why ? {Labels: labels} : {}), Mode: {Replicated: {Replicas: replicas}}},
				),
			);
		},
		async tasks(service) {
			const found = (await docker.listTasks({filters: {service: [service]}, ...limited()} as object)) as Array<{
				Status?: {State?: string; Timestamp?: string; ContainerStatus?: {ContainerID?: string}};
			}>;
			return found.map(({Status: status}) => ({
				state: status?.State ?? '',
				since: Date.parse(status?.Timestamp ?? ''),
				container: status?.ContainerStatus?.ContainerID,
			}));
		},
		async death(id) {
			const now = Math.floor(Date.now() / 1000);
			const asked = {
				filters: {container: [id], event: ['die']},
				since: now - rememberedSeconds,
				until: now + 1,
				...limited(deathDeadlineMs),
			};
			const events = (await docker.getEvents(asked as Dockerode.GetEventsOptions)) as unknown as Readable;
			const lines = (await text(events)).trim().split('\n').filter(Boolean);
			const {name, exitCode} = JSON.parse(lines.at(-1) ?? '{}').Actor?.Attributes ?? {};
			return name === undefined ? undefined : {name, exitCode: Number(exitCode)};
		},
		events: async abortSignal => (await docker.getEvents({filters: {type: ['container']}, abortSignal})) as unknown as Readable,
	};
	return engine;
}
