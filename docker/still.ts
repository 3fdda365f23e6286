/** One container of a window is made to stand still: paused, stopped, or, where Swarm would put another in its place, with its service. */
import {setTimeout as delay} from 'node:timers/promises';
import {RunError} from '../base/errors.ts';
import {label} from '../base/label.ts';
import type {Container, ContainerState} from './container.ts';
import type {ContainerDetails} from './details.ts';
import type {Engine} from './engine.ts';
import {goneError} from './gone.ts';
import type {Needing} from './order.ts';
import {statusOf, unlessGone} from './refusal.ts';
import {type Journal, lagOf, type Undo} from './resume.ts';
import {type SwarmTask, swarmTask} from './stack.ts';
import {assertTask} from './swarm.ts';

/** Who was restarted so often, and runs no longer than this, is taken for one that restarts over and over. */
const crashesCounted = 3;
const crashingMs = 10_000;

export interface Quiesce {
	engine: Engine;
	journal: Journal;
	run: string;
	/** In the order of quiescing; resumed in the reverse order. */
	containers: ReadonlyArray<{container: Needing; action: 'pause' | 'stop'}>;
	/** Those that are started at the end although they do not run, because they ran before: by their names. */
	wakes?: ReadonlySet<string> | undefined;
	/** Longest time from the first touch until the resume begins; none: as long as the work takes. */
	limitMs?: number | undefined;
	/** Longest time that all stops together may take: who has not ended by then is killed, and the work goes on. None: each has its own grace period. */
	stopLimitMs?: number | undefined;
	signal: AbortSignal;
	/** Called for each container before it is touched. */
	onQuiesce?: (name: string) => void;
	/** Called before the first container is put back. */
	onResume?: () => void;
	/** Called when all are put back, whatever the outcome: for how long any of them was quiesced. */
	onWindow?: (windowMs: number) => void;
	/** Something that a person should know, although it is no failure. */
	onWarning?: (message: string) => void;
}

/** A manager takes its time to tell the node, which takes its own. */
const swarmLagMs = 30_000;

const pauseAttempts = 10;

/** In which a pause happens that was said to have failed: by an engine that has done half of it, or by a proxy that lost it. */
const answeredMs = 2000;

/** 128 + SIGKILL. */
const killedExitCode = 137;

/** A stop that never ends by itself is cut after this long. */
const longestStopSeconds = 3600;

/** Not to be woken by anybody until the end of the window. */
export interface Resting {
	id: string;
	name: string;
	/** In which it is found at the end of the window. */
	state: ContainerState;
	startedAt: string;
	/** It ended with this service of Swarm, and its container may be gone. */
	service?: string | undefined;
}

export interface Touched extends Resting {
	undo: Undo;
	entry: number;
	/** It crashed over and over before: nobody expects it to stay up. */
	crashes: boolean;
	/** The engine was asked, and it may do it yet: nobody heard what became of it, or it gave up waiting. Milliseconds that it may take. */
	pendingMs?: number | undefined;
	/** It said that it failed: what has not happened by then does not. */
	isAnswered?: boolean | undefined;
}

/** One that is to stand still. */
export interface Wanted extends Pick<Needing, 'id' | 'name' | 'swarm'> {
	action: 'pause' | 'stop';
	/** Ids of those of the window that must be up before it. */
	needs: readonly string[];
}

/** What has been done in this window so far, and what is left of its limit. */
interface Window {
	touched: Touched[];
	resting: Resting[];
	leftMs: () => number;
}

export async function quiesceOne(options: Quiesce, wanted: Wanted, window: Window): Promise<void> {
	const {engine, wakes, onQuiesce, onWarning} = options;
	const details = await present(engine, wanted);
	if (details === undefined) {
		return;
	}

	// One that was started with `--rm` would be gone.
	const action = details.autoRemove ? 'pause' : wanted.action;
	const {id, name, state, startedAt} = details;
	const isWoken = (state === 'exited' || state === 'created') && wakes?.has(name) === true;
	if (state === 'restarting' && action === 'pause') {
		onWarning?.(`container \`${name}\` restarts over and over, so it cannot be paused, and its files may be of different moments`);
		return;
	}

	// One that crashes over and over would start again in the middle of the work.
	if (state !== 'running' && state !== 'restarting' && !isWoken) {
		window.resting.push({id, name, state, startedAt});
		return;
	}

	const task = action === 'stop' ? swarmTask(details.labels) : undefined;
	if (task !== undefined) {
		await assertTask(engine, task, id);
		return standStill(options, {details, task, isWoken}, window);
	}

	onQuiesce?.(name);
	const one = writtenDown(options, {details, needs: wanted.needs, action, isWoken});
	window.touched.push(one);
	if (isWoken) {
		return;
	}

	try {
		if (one.undo.kind === 'unpause') {
			await pauseOne(options, one, window);
		} else {
			await stop(engine, details, {leftMs: window.leftMs, onWarning, onLost: pendingMs => (one.pendingMs = pendingMs)});
		}
	} catch (error) {
		if (statusOf(error) === 404) {
			throw await goneError(engine, name, action === 'stop');
		}

		throw statusOf(error) === undefined
			? error
			: new RunError(`container \`${name}\` could not be ${action === 'stop' ? 'stopped' : 'paused'}`, {cause: error});
	}
}

interface Intended extends Pick<Wanted, 'action' | 'needs'> {
	details: ContainerDetails;
	isWoken: boolean;
}

/** On disk before the container is touched. */
function writtenDown({journal, run}: Quiesce, {details, needs, action, isWoken}: Intended): Touched {
	const {id, name, state, startedAt} = details;
	const undo: Undo =
		action === 'pause' && !isWoken
			? {kind: 'unpause', containerId: id, containerName: name}
			: {kind: 'start', containerId: id, containerName: name, at: Date.now(), ...(needs.length > 0 && {needs})};
	return {
		id,
		name,
		undo,
		entry: journal.record(run, undo),
		state: isWoken ? state : undo.kind === 'unpause' ? 'paused' : 'exited',
		startedAt,
		crashes: crashes(details),
	};
}

/** @throws what the engine said, once it is known what that leaves */
async function pauseOne({engine, journal, signal}: Quiesce, one: Touched, {touched}: Window): Promise<void> {
	try {
		await pause(engine, one.id, signal);
	} catch (error) {
		// Somebody else paused it meanwhile, or it has ended: then it is theirs to resume.
		if (statusOf(error) === 409) {
			journal.clear(one.entry);
			// Others may have been added meanwhile.
			touched.splice(touched.indexOf(one), 1);
		} else if (isUnknown(error) && !hasEscaped(error) && !(error instanceof RunError)) {
			one.isAnswered = statusOf(error) !== undefined;
			one.pendingMs = one.isAnswered ? answeredMs : lagOf(one.undo, 0);
		}

		throw error;
	}
}

interface Task {
	details: ContainerDetails;
	task: SwarmTask;
	isWoken: boolean;
}

/** The tasks of a service end together, also those that are other containers of the window. */
async function standStill(
	{engine, journal, run, signal, onQuiesce}: Quiesce,
	{details: {id, name, state, startedAt, stopTimeoutSeconds}, task, isWoken}: Task,
	{touched, resting, leftMs}: Window,
): Promise<void> {
	const earlier = touched.find(({undo}) => undo.kind === 'scale' && undo.service === task.service);
	if (earlier === undefined) {
		const service = await engine.service(task.service);
		if (service?.mode !== 'replicated') {
			throw new RunError(`the Swarm service \`${task.name}\` has one task on each node, and cannot be stopped on one of them`);
		}

		// Of one that was scaled to nothing by somebody else, the number is not known: it had a task.
		const replicas = service.replicas || promised(journal, task.service) || (isWoken ? 1 : 0);
		if (replicas === 0) {
			resting.push({id, name, state, startedAt});
			return;
		}

		onQuiesce?.(name);
		const container = (await engine.list()).find(each => each.id === id);
		const what = {containerId: id, containerName: name, service: task.service, serviceName: task.name};
		const undo: Undo = {kind: 'scale', ...what, replicas, container};
		const one: Touched = {
			id,
			name,
			undo,
			entry: journal.record(run, undo),
			state: isWoken ? state : 'exited',
			startedAt,
			service: task.service,
			crashes: false,
		};
		touched.push(one);
		if (service.replicas > 0) {
			await engine.scale(task.service, 0, {replicas, run, at: Date.now()}).catch((error: unknown) => {
				if (isUnknown(error)) {
					one.pendingMs = lagOf(undo, 0);
				}

				throw error;
			});
		}
	} else {
		resting.push({id, name, state: 'exited', startedAt, service: task.service});
	}

	const patienceMs = Math.min(Math.max(stopTimeoutSeconds, 0) * 1000 + swarmLagMs, leftMs());
	const deadline = Date.now() + patienceMs;
	// Swarm hears of the end of a container later than its engine, and may have tasks of it on other nodes.
	const hasEnded = async (): Promise<boolean> => {
		const state = (await engine.inspect(id).catch(unlessGone))?.state ?? 'exited';
		const {replicas = 0, running = 0} = (await engine.service(task.service)) ?? {};
		// Who scales it up again is found out when the window ends.
		return state === 'exited' && (running === 0 || replicas > 0);
	};
	while (!isWoken && !(await hasEnded())) {
		signal.throwIfAborted();
		if (Date.now() > deadline) {
			throw new RunError(`Swarm did not stop all tasks of the service \`${task.name}\` within ${Math.round(patienceMs / 1000)} s`, {
				hint: `lower the service's \`stop_grace_period\`, or raise \`${label('quiesce.timeout')}\``,
			});
		}

		await delay(100);
	}
}

/** An earlier life of the agent scaled it to nothing, and has not put it back yet: so many tasks it had. 0: nobody did. */
const promised = (journal: Journal, service: string): number =>
	journal
		.open()
		.map(({undo}) => (undo.kind === 'scale' && undo.service === service ? undo.replicas : 0))
		.find(replicas => replicas > 0) ?? 0;

/** What was asked for may happen yet: nobody answered, or the engine gave up. */
function isUnknown(error: unknown): boolean {
	const status = statusOf(error);
	return status === undefined || status >= 500;
}

/** Between two crashes it runs for a moment. */
const crashes = ({state, restartCount = 0, startedAt}: ContainerDetails): boolean =>
	state === 'restarting' || (restartCount >= crashesCounted && Date.now() - Date.parse(startedAt) < crashingMs);

/** It may have been exchanged for another since the plan was made. Undefined: it is gone, and nobody is in its place. */
async function present(engine: Engine, {id, name, swarm}: Wanted): Promise<ContainerDetails | undefined> {
	const details = await engine.inspect(id).catch(unlessGone);
	if (details !== undefined) {
		return details;
	}

	const isSuccessor = (other: Container) => other.name === name || (swarm !== undefined && other.swarm?.service === swarm.service);
	const successor = (await engine.list()).find(isSuccessor);
	return successor && (await engine.inspect(successor.id).catch(unlessGone));
}

/** The grace period of the container, or what is left of the outage's limit. */
async function stop(
	engine: Engine,
	{id, name, stopTimeoutSeconds}: ContainerDetails,
	{leftMs, onWarning, onLost}: {leftMs: () => number; onWarning: Quiesce['onWarning']; onLost: (pendingMs: number) => void},
): Promise<void> {
	const grace = stopTimeoutSeconds < 0 ? longestStopSeconds : stopTimeoutSeconds;
	const seconds = Math.max(0, Math.min(grace, Math.floor(leftMs() / 1000)));
	try {
		await engine.stop(id, seconds);
	} catch (error) {
		// An engine that gave up waiting for the end of one that it killed says so with 500, and the end may come yet (moby: "did not receive an exit event").
		if (isUnknown(error)) {
			onLost(lagOf({kind: 'start', containerId: id, containerName: name}, statusOf(error) === undefined ? seconds : 0));
		}

		throw error;
	}

	const {exitCode} = await engine.inspect(id);
	if (exitCode === killedExitCode) {
		const whose = seconds < grace ? `the ${seconds} s that \`${label('quiesce.timeout')}\` left of its ${grace} s` : `its ${grace} s`;
		onWarning?.(`container \`${name}\` did not end within ${whose} and was killed, so its files are as after a crash`);
	}
}

const hasEscaped = (error: unknown): boolean => error instanceof Error && error.message.includes('unable to freeze');

/** A busy container on a busy machine may escape the freezer (cgroup v1: "unable to freeze"): runc thaws it again, and the next try works. */
async function pause(engine: Engine, id: string, signal: AbortSignal): Promise<void> {
	for (let attempt = 1; ; attempt++) {
		try {
			return await engine.pause(id);
		} catch (error) {
			if (!hasEscaped(error) || attempt === pauseAttempts || signal.aborted) {
				throw error;
			}
		}

		await delay(50 * attempt);
	}
}
