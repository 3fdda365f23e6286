/** What the engine tells of one container. */
import type Dockerode from 'dockerode';
import type {ContainerState, Mount} from './container.ts';
import {readInspection, withSubpaths} from './inspection.ts';

export interface ContainerDetails {
	id: string;
	name: string;
	state: ContainerState;
	/** Changes with every start; tells whether somebody restarted it. */
	startedAt: string;
	/** The pid of its first process as the engine's host counts; 0 when it does not run. */
	pid: number;
	pidMode: string;
	ipcMode: string;
	networkMode: string;
	networks: readonly string[];
	/** `healthy`, `unhealthy`, `starting`, or none where no health check is defined. */
	health: string | undefined;
	/** By then its health check must have decided: its own start period, and interval and timeout as often as it may fail. None without a check. */
	healthPatienceMs?: number | undefined;
	exitCode: number;
	/** The program that it was created with, and its arguments. May hold secrets: never logged. */
	argv?: readonly string[] | undefined;
	/** The container's own environment. Holds secrets: never logged. */
	env: Readonly<Record<string, string>>;
	user: string;
	imageId: string;
	labels: Readonly<Record<string, string>>;
	mounts: readonly Mount[];
	/** Removed by the engine as soon as it ends. */
	autoRemove: boolean;
	/** How often the engine has restarted it by its policy since somebody started it. */
	restartCount?: number | undefined;
	/** Where the engine keeps what it writes outside of its mounts: no other container has the same. Not every engine says it. */
	rootFolder?: string | undefined;
	/** As it was created: its limits, and how it resolves names. */
	hostConfig: Readonly<Dockerode.HostConfig>;
	/** It was killed because it, or a process in it, needed more memory than it may have. */
	oomKilled?: boolean | undefined;
	/** Seconds that a stop waits before the kill; negative: for ever. */
	stopTimeoutSeconds: number;
}

export function detailsOf(inspected: Dockerode.ContainerInspectInfo): ContainerDetails {
	const {State: state, Config: config, HostConfig: host, Mounts: mounts} = inspected;
	return {
		id: inspected.Id,
		name: inspected.Name.replace(/^\//, ''),
		state: state.Status as ContainerState,
		startedAt: state.StartedAt,
		pid: state.Pid,
		pidMode: host.PidMode ?? '',
		ipcMode: host.IpcMode ?? '',
		networkMode: host.NetworkMode ?? '',
		networks: Object.keys(inspected.NetworkSettings.Networks ?? {}),
		health: healthOf(state.Health),
		healthPatienceMs: healthOf(state.Health) === undefined ? undefined : patienceOfCheck(config.Healthcheck ?? {}),
		exitCode: state.ExitCode,
		argv: [inspected.Path, ...inspected.Args],
		env: Object.fromEntries((config.Env ?? []).map(entry => splitOnce(entry, '='))),
		user: config.User ?? '',
		imageId: inspected.Image,
		labels: config.Labels ?? {},
		mounts: withSubpaths(
			mounts.flatMap(mount =>
				mount.Type === 'volume' || mount.Type === 'bind'
					? [{type: mount.Type, volume: mount.Name, hostPath: mount.Source, path: mount.Destination, readWrite: mount.RW}]
					: [],
			),
			readInspection(host).subpaths,
		),
		autoRemove: host.AutoRemove ?? false,
		restartCount: inspected.RestartCount,
		rootFolder: (inspected.GraphDriver as {Data?: {UpperDir?: string} | null} | null | undefined)?.Data?.UpperDir,
		hostConfig: host,
		oomKilled: state.OOMKilled,
		stopTimeoutSeconds: stopTimeoutOf(config as {StopTimeout?: number; StopSignal?: string}),
	};
}

/** Podman says an empty status where there is no check (podman#20029). */
const healthOf = (health: {Status?: string} | undefined): string | undefined =>
	health === undefined || health.Status === 'none' || health.Status === '' ? undefined : health.Status;

const defaultStopSeconds = 10;

/** Podman 4.3 says 0 where nobody said anything, and a stop of 0 s is a kill. It is known by its number for the signal, which Docker has as a name unless an image wants the number. */
function stopTimeoutOf(config: {StopTimeout?: number; StopSignal?: string}): number {
	const isUnsaid = config.StopTimeout === undefined || (config.StopTimeout === 0 && /^\d+$/.test(config.StopSignal ?? ''));
	return isUnsaid ? defaultStopSeconds : (config.StopTimeout ?? defaultStopSeconds);
}

/** The engine's own defaults, where a check does not say. */
const defaultProbeMs = 30_000;
const defaultRetries = 3;

/** Durations are in nanoseconds; 0 means the default. */
function patienceOfCheck({
	Interval: interval,
	Timeout: timeout,
	StartPeriod: startPeriod,
	Retries: retries,
}: Partial<Dockerode.HealthConfig>): number {
	const inMs = (nanoseconds: number | undefined): number => (nanoseconds ?? 0) / 1e6;
	const probeMs = (inMs(interval) || defaultProbeMs) + (inMs(timeout) || defaultProbeMs);
	return inMs(startPeriod) + probeMs * (retries || defaultRetries);
}

function splitOnce(text: string, separator: string): [string, string] {
	const at = text.indexOf(separator);
	return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}
