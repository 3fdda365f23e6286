/**
 * Quiesce and resume. What is about to be done is on disk before it is done, so that it is undone whatever dies: the window closes on
 * success, failure, cancel and time-out here, and in `undoAll` after the agent was killed.
 */
import {setTimeout as delay} from 'node:timers/promises';
import {lastLines, output} from '../agent/command.ts';
import {ResumeError, RunError} from '../agent/errors.ts';
import type {ContainerDetails, Engine} from './engine.ts';
import {statusOf} from './engine.ts';
import {inContainer} from './exec.ts';

export type Undo =
	| {kind: 'unpause'; containerId: string; containerName: string}
	| {kind: 'start'; containerId: string; containerName: string}
	/** The hook that belongs after the window: it puts back what the one before it did. */
	| {
			kind: 'hook';
			containerId: string;
			containerName: string;
			argv: readonly [string, ...string[]];
			user?: string | undefined;
			timeoutMs: number;
	  };

export interface Journal {
	/** On disk (fsync) when it returns. Written *before* the container is touched. Gives the entry's id. */
	record: (run: string, undo: Undo) => number;
	/** The undo is done. */
	clear: (id: number) => void;
	/** What is still to be undone, oldest first. */
	open: () => Array<{id: number; run: string; undo: Undo}>;
}

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
}

/** How long the work may take to notice that its time is over; then the containers are put back regardless. */
const graceMs = 5000;

/** How long the engine may fail to put a container back before a person is called. */
const resumeDeadlineMs = 20_000;

const pauseAttempts = 10;

/** A container that dies this soon after its start has failed to start. */
const startWatchMs = 1500;

/**
 * Runs `work` while the containers are quiesced. A container that does not run is left as it is.
 * @returns what the work gave, and for how long any container was quiesced
 * @throws {ResumeError} when a container could not be put back, whatever the work did
 */
export async function quiesced<Value>(
	options: Quiesce,
	work: (signal: AbortSignal) => Promise<Value>,
): Promise<{value: Value; windowMs: number}> {
	const {engine, limitMs} = options;
	const touched: Touched[] = [];
	const started = performance.now();
	// Where nothing is quiesced there is no outage to bound.
	const limit = limitMs === undefined || options.containers.length === 0 ? new AbortController().signal : AbortSignal.timeout(limitMs);
	const signal = AbortSignal.any([options.signal, limit]);
	let result: PromiseSettledResult<Value>;
	try {
		for (const {container, action} of options.containers) {
			signal.throwIfAborted();
			await quiesceOne({...options, signal}, container, action, touched);
		}

		const value = await withGrace(work(signal), signal);
		await assertUntouched(engine, touched);
		result = {status: 'fulfilled', value};
	} catch (error) {
		result = {status: 'rejected', reason: limit.aborted ? overLimit(limitMs ?? 0, error) : error};
	}

	options.onResume?.();
	const failures = await resume(options, touched);
	const windowMs = touched.length === 0 ? 0 : performance.now() - started;
	failures.push(...(await settled(touched.filter(({undo}) => undo.kind === 'start').map(async ({id}) => watchStart(engine, id)))));
	if (result.status === 'rejected') {
		throw failures.length === 0 ? result.reason : new AggregateError([...failures, result.reason]);
	}

	if (failures.length > 0) {
		throw failures.length === 1 ? failures[0] : new AggregateError(failures);
	}

	return {value: result.value, windowMs};
}

interface Touched {
	id: string;
	name: string;
	undo: Undo;
	entry: number;
	startedAt: string;
}

async function quiesceOne(
	{engine, journal, run, signal, onQuiesce}: Quiesce,
	{id, name}: {id: string; name: string},
	action: 'pause' | 'stop',
	touched: Touched[],
): Promise<void> {
	const details = await engine.inspect(id);
	// One that crashes over and over would start again in the middle of the work.
	if (details.state !== 'running' && !(details.state === 'restarting' && action === 'stop')) {
		return;
	}

	onQuiesce?.(name);
	const undo: Undo = {kind: action === 'pause' ? 'unpause' : 'start', containerId: id, containerName: name};
	const entry: Touched = {id, name, undo, entry: journal.record(run, undo), startedAt: details.startedAt};
	touched.push(entry);
	await (action === 'pause' ? pause(engine, id, signal) : engine.stop(id, details.stopTimeoutSeconds));
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

/** Gives up waiting for work that does not end when it is told to. */
async function withGrace<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
	const {promise: overdue, reject} = Promise.withResolvers<never>();
	let timer: NodeJS.Timeout | undefined;
	const onAbort = () => {
		timer = setTimeout(() => reject(signal.reason), graceMs);
	};

	signal.addEventListener('abort', onAbort, {once: true});
	try {
		return await Promise.race([work, overdue]);
	} finally {
		clearTimeout(timer);
		signal.removeEventListener('abort', onAbort);
	}
}

const overLimit = (limitMs: number, cause: unknown) =>
	new RunError(`the outage reached its limit of ${limitMs / 1000} s, so the app was put back and this run given up`, {
		cause,
		hint: 'raise `holdfast.quiesce.timeout`, or find out with `holdfast runs` what took so long',
	});

/** A restart policy, an engine restart or a person may have started what was quiesced: then the files were not at rest. */
async function assertUntouched(engine: Engine, touched: readonly Touched[]): Promise<void> {
	for (const {id, name, undo, startedAt} of touched) {
		const {state, startedAt: now} = await engine.inspect(id);
		const expected = undo.kind === 'unpause' ? state === 'paused' : state === 'exited';
		if (!expected || now !== startedAt) {
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

/**
 * Puts one container back, trying again while the engine fails. A container that is gone needs nothing: whoever
 * recreated it has started the new one.
 * @throws {ResumeError}
 */
export async function undoOne(engine: Engine, undo: Undo): Promise<void> {
	const deadline = Date.now() + resumeDeadlineMs;
	for (;;) {
		try {
			return await attemptUndo(engine, undo);
		} catch (error) {
			if (statusOf(error) === 404) {
				return;
			}

			// What the engine itself refuses (a port that is taken, a mount that is gone) it refuses again.
			if (Date.now() > deadline || undo.kind === 'hook' || statusOf(error) !== undefined) {
				throw resumeError(undo, error);
			}
		}

		await delay(500);
	}
}

async function attemptUndo(engine: Engine, undo: Undo): Promise<void> {
	const {state} = await engine.inspect(undo.containerId);
	if (undo.kind === 'hook') {
		await runHook(engine, undo);
	} else if (undo.kind === 'unpause') {
		if (state === 'paused') {
			await engine.unpause(undo.containerId);
		}
	} else if (state !== 'running') {
		await engine.start(undo.containerId);
	}
}

export async function runHook(
	engine: Engine,
	hook: {containerId: string; containerName: string; argv: readonly [string, ...string[]]; user?: string | undefined; timeoutMs: number},
	signal?: AbortSignal,
): Promise<void> {
	const {containerId, containerName, argv, user, timeoutMs} = hook;
	const limit = AbortSignal.timeout(timeoutMs);
	try {
		const {exitCode, stderr, stdout} = await output(inContainer(engine, containerId), {
			argv,
			...(user === undefined ? {} : {user}),
			signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
		});
		if (exitCode !== 0) {
			throw new RunError(`exit code ${exitCode}: ${lastLines(stderr || stdout)}`);
		}
	} catch (error) {
		const what = limit.aborted ? `did not end within ${timeoutMs / 1000} s` : 'failed';
		throw new RunError(`hook \`${argv.join(' ')}\` in container \`${containerName}\` ${what}`, {cause: limit.aborted ? undefined : error});
	}
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

function resumeError(undo: Undo, cause: unknown): ResumeError {
	const {containerName} = undo;
	const command = {
		unpause: `docker unpause ${containerName}`,
		start: `docker start ${containerName}`,
		hook: `docker exec ${containerName} …`,
	}[undo.kind];
	return new ResumeError(`container \`${containerName}\` could not be put back`, {cause, hint: `run \`${command}\` by hand`});
}

/**
 * Undoes all that an earlier life of the agent left undone, newest first. An entry that fails stays open, to be tried again.
 * @returns the names of the containers that were put back, and why others were not
 */
export async function undoAll(engine: Engine, journal: Journal): Promise<{undone: string[]; failures: unknown[]}> {
	const undone: string[] = [];
	const failures: unknown[] = [];
	for (const {id, undo} of journal.open().toReversed()) {
		try {
			await undoOne(engine, undo);
			journal.clear(id);
			undone.push(undo.containerName);
		} catch (error) {
			failures.push(error);
		}
	}

	return {undone, failures};
}
