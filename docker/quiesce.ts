/**
 * Quiesce and resume. What is about to be done is on disk before it is done, so that it is undone whatever dies: the window closes on
 * success, failure, cancel and time-out here, and in `unfinished.ts` after the agent was killed.
 */

import {setTimeout as delay} from 'node:timers/promises';
import {ResumeError, RunError} from '../base/errors.ts';
import {label} from '../base/label.ts';
import type {ContainerState} from './container.ts';
import type {ContainerDetails, Engine} from './engine.ts';
import {statusOf} from './engine.ts';
import {type Journal, type Undo, undoOne} from './resume.ts';

interface Quiesce {
	engine: Engine;
	journal: Journal;
	run: string;
	/** In the order of quiescing; resumed in the reverse order. */
	containers: ReadonlyArray<{container: {id: string; name: string}; action: 'pause' | 'stop'}>;
	/** Longest time from the first touch until the resume begins; none: as long as the work takes. */
	limitMs?: number | undefined;
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

const pauseAttempts = 10;

/** 128 + SIGKILL. */
const killedExitCode = 137;

/** A container that dies this soon after its start has failed to start. */
const startWatchMs = 1500;

/**
 * Runs `work` while the containers are quiesced. A container that does not run is left as it is. When the run is cancelled, or the
 * window reaches its limit, the containers are put back at once, whether or not the work has heeded its signal by then.
 * @throws {ResumeError} when a container could not be put back, whatever the work did
 */
export async function quiesced<Value>(options: Quiesce, work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
	const {engine, onResume, onWindow} = options;
	const touched: Touched[] = [];
	const resting: Resting[] = [];
	const started = performance.now();
	const limit = timeLimit(options.limitMs);
	const signal = AbortSignal.any([options.signal, limit.signal]);
	let result: PromiseSettledResult<Value>;
	try {
		for (const {container, action} of options.containers) {
			signal.throwIfAborted();
			await quiesceOne({...options, signal}, container, action, {touched, resting});
		}

		const value = await unlessAborted(signal, work);
		await assertUntouched(engine, [...touched, ...resting]);
		signal.throwIfAborted();
		result = {status: 'fulfilled', value};
	} catch (reason) {
		result = {status: 'rejected', reason};
	} finally {
		limit.end();
	}

	onResume?.();
	const failures = await resume(options, touched);
	onWindow?.(touched.length === 0 ? 0 : performance.now() - started);
	failures.push(...(await settled(touched.filter(({undo}) => undo.kind === 'start').map(async ({id}) => watchStart(engine, id)))));
	if (result.status === 'rejected') {
		failures.push(result.reason);
	}

	if (failures.length > 0) {
		throw failures.length === 1 ? failures[0] : new AggregateError(failures);
	}

	return (result as PromiseFulfilledResult<Value>).value;
}

/** A signal whose reason says what was exceeded. */
function timeLimit(limitMs: number | undefined): {signal: AbortSignal; end: () => void} {
	const controller = new AbortController();
	if (limitMs === undefined) {
		return {signal: controller.signal, end() {}};
	}

	const exceeded = () =>
		controller.abort(
			new RunError(
				`the outage reached its limit of ${Number((limitMs / 1000).toFixed(1))} s, so the app was put back and this run given up`,
				{
					hint: `raise \`${label('quiesce.timeout')}\`, or find out with \`holdfast runs\` what took so long`,
				},
			),
		);
	const timer = setTimeout(exceeded, limitMs);
	return {signal: controller.signal, end: () => clearTimeout(timer)};
}

/** Rejects with the signal's reason as soon as there is one. */
async function unlessAborted<Value>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
	signal.throwIfAborted();
	const {promise: aborted, reject} = Promise.withResolvers<never>();
	const onAbort = () => reject(signal.reason);
	signal.addEventListener('abort', onAbort, {once: true});
	try {
		return await Promise.race([work(signal), aborted]);
	} finally {
		signal.removeEventListener('abort', onAbort);
	}
}

/** Not to be woken by anybody until the end of the window. */
interface Resting {
	id: string;
	name: string;
	/** In which it is found at the end of the window. */
	state: ContainerState;
	startedAt: string;
}

interface Touched extends Resting {
	undo: Undo;
	entry: number;
}

async function quiesceOne(
	{engine, journal, run, signal, onQuiesce, onWarning}: Quiesce,
	{id, name}: {id: string; name: string},
	wanted: 'pause' | 'stop',
	{touched, resting}: {touched: Touched[]; resting: Resting[]},
): Promise<void> {
	const details = await engine.inspect(id);
	// One that was started with `--rm` would be gone.
	const action = details.autoRemove ? 'pause' : wanted;
	const {state, startedAt} = details;
	// One that crashes over and over would start again in the middle of the work.
	if (state !== 'running' && !(state === 'restarting' && action === 'stop')) {
		resting.push({id, name, state, startedAt});
		return;
	}

	onQuiesce?.(name);
	const undo: Undo = {kind: action === 'pause' ? 'unpause' : 'start', containerId: id, containerName: name};
	const entry: Touched = {id, name, undo, entry: journal.record(run, undo), state: action === 'pause' ? 'paused' : 'exited', startedAt};
	touched.push(entry);
	if (action === 'pause') {
		try {
			await pause(engine, id, signal);
		} catch (error) {
			// Somebody else paused it meanwhile: then it is theirs to resume.
			if (statusOf(error) === 409) {
				journal.clear(entry.entry);
				touched.pop();
			}

			throw error;
		}

		return;
	}

	await engine.stop(id, details.stopTimeoutSeconds);
	const {exitCode} = await engine.inspect(id);
	if (exitCode === killedExitCode) {
		onWarning?.(
			`container \`${name}\` did not end within its ${details.stopTimeoutSeconds} s and was killed, so its files are as after a crash`,
		);
	}
}

/** A busy container on a busy machine may escape the freezer (cgroup v1: "unable to freeze"): runc thaws it again, and the next try works. */
async function pause(engine: Engine, id: string, signal: AbortSignal): Promise<void> {
	for (let attempt = 1; ; attempt++) {
		try {
			return await engine.pause(id);
		} catch (error) {
			const escaped = error instanceof Error && error.message.includes('unable to freeze');
			if (!escaped || attempt === pauseAttempts || signal.aborted) {
				throw error;
			}
		}

		await delay(50 * attempt);
	}
}

/** A restart policy, an engine restart, a restore or a person may have started what was quiesced, or did not run: then the files were not at rest. */
async function assertUntouched(engine: Engine, all: readonly Resting[]): Promise<void> {
	for (const {id, name, state, startedAt} of all) {
		const now = await engine.inspect(id);
		if (now.state !== state || now.startedAt !== startedAt) {
			throw new RunError(`container \`${name}\` was started by somebody else while it was quiesced, so its files were not at rest`);
		}
	}
}

async function resume({engine, journal}: Quiesce, touched: readonly Touched[]): Promise<unknown[]> {
	const failures: unknown[] = [];
	for (const {undo, entry} of touched.toReversed()) {
		try {
			await undoOne(engine, undo);
			journal.clear(entry);
		} catch (error) {
			failures.push(error);
		}
	}

	return failures;
}

async function settled(promises: ReadonlyArray<Promise<unknown>>): Promise<unknown[]> {
	return (await Promise.allSettled(promises)).flatMap(result => (result.status === 'rejected' ? [result.reason] : []));
}

async function watchStart(engine: Engine, id: string): Promise<void> {
	const deadline = Date.now() + startWatchMs;
	for (;;) {
		const details = await engine.inspect(id).catch(() => undefined);
		if (details === undefined || details.health === 'healthy') {
			return;
		}

		if (details.state !== 'running') {
			throw notRunning(details);
		}

		if (Date.now() > deadline) {
			return;
		}

		await delay(100);
	}
}

const notRunning = ({name, state, exitCode}: ContainerDetails) =>
	new ResumeError(`container \`${name}\` was started again but is ${state} (exit code ${exitCode})`, {
		hint: `see \`docker logs ${name}\`, then run \`docker start ${name}\``,
	});
