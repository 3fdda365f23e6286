/**
 * Quiesce and resume. What is about to be done is on disk before it is done, so that it is undone whatever dies: the window closes on
 * success, failure, cancel and time-out here, and in `unfinished.ts` after the agent was killed.
 */

import {setTimeout as delay} from 'node:timers/promises';
import {ResumeError, RunError} from '../base/errors.ts';
import {label} from '../base/label.ts';
import type {ContainerState} from './container.ts';
import {type ContainerDetails, type Engine, statusOf, unlessGone} from './engine.ts';
import {type Start, untilStarted} from './health.ts';
import {type Needing, needsOf} from './order.ts';
import {isUndoable, type Journal, lagOf, type Undo, undoOne} from './resume.ts';

/** Who was restarted so often, and runs no longer than this, is taken for one that restarts over and over. */
const crashesCounted = 3;
const crashingMs = 10_000;

interface Quiesce {
	engine: Engine;
	journal: Journal;
	run: string;
	/** In the order of quiescing; resumed in the reverse order. */
	containers: ReadonlyArray<{container: Needing; action: 'pause' | 'stop'}>;
	/** Those that are started at the end although they do not run, because they ran before: by their names. */
	wakes?: ReadonlySet<string> | undefined;
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

/** A stop that never ends by itself is cut after this long. */
const longestStopSeconds = 3600;

/** Who dies at its start, and is not restarted by the engine, is started again: what it needs may have been late. */
const startAttempts = 3;

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
	const needs = needsOf(
		options.containers.map(({container}) => container),
		options.containers.map(({container}) => container),
	);
	let result: PromiseSettledResult<Value>;
	try {
		for (const {container, action} of options.containers) {
			signal.throwIfAborted();
			const wanted = {...container, action, needs: [...(needs.get(container.id) ?? [])]};
			await quiesceOne({...options, signal}, wanted, {touched, resting, leftMs: limit.leftMs});
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
	const {failures, back} = await resume(options, touched);
	onWindow?.(touched.length === 0 ? 0 : performance.now() - started);
	failures.push(...(await settled(back.filter(mustStayUp).map(async one => watchStart(options, one)))));
	if (result.status === 'rejected') {
		failures.push(result.reason);
	}

	if (failures.length > 0) {
		throw failures.length === 1 ? failures[0] : new AggregateError(failures);
	}

	return (result as PromiseFulfilledResult<Value>).value;
}

/** A signal whose reason says what was exceeded. */
function timeLimit(limitMs: number | undefined): {signal: AbortSignal; leftMs: () => number; end: () => void} {
	const controller = new AbortController();
	if (limitMs === undefined) {
		return {signal: controller.signal, leftMs: () => Number.POSITIVE_INFINITY, end() {}};
	}

	const begun = performance.now();
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
	return {signal: controller.signal, leftMs: () => limitMs - (performance.now() - begun), end: () => clearTimeout(timer)};
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
	/** It crashed over and over before: nobody expects it to stay up. */
	crashes: boolean;
	/** The engine was asked, and nobody heard what became of it: it may do it yet. Milliseconds that it may take. */
	pendingMs?: number | undefined;
}

interface Wanted {
	id: string;
	name: string;
	action: 'pause' | 'stop';
	/** Ids of those of the window that must be up before it. */
	needs: readonly string[];
}

async function quiesceOne(
	options: Quiesce,
	wanted: Wanted,
	{touched, resting, leftMs}: {touched: Touched[]; resting: Resting[]; leftMs: () => number},
): Promise<void> {
	const {engine, journal, run, signal, wakes, onQuiesce, onWarning} = options;
	const details = await present(engine, wanted);
	if (details === undefined) {
		return;
	}

	// One that was started with `--rm` would be gone.
	const action = details.autoRemove ? 'pause' : wanted.action;
	const {id, name, state, startedAt} = details;
	const isStopped = state === 'exited' || state === 'created';
	const isWoken = isStopped && wakes?.has(name) === true;
	if (state === 'restarting' && action === 'pause') {
		onWarning?.(`container \`${name}\` restarts over and over, so it cannot be paused, and its files may be of different moments`);
		return;
	}

	// One that crashes over and over would start again in the middle of the work.
	if (state !== 'running' && state !== 'restarting' && !isWoken) {
		resting.push({id, name, state, startedAt});
		return;
	}

	onQuiesce?.(name);
	const undo: Undo =
		action === 'pause' && !isWoken
			? {kind: 'unpause', containerId: id, containerName: name}
			: {kind: 'start', containerId: id, containerName: name, ...(wanted.needs.length > 0 && {needs: wanted.needs})};
	const one: Touched = {
		id,
		name,
		undo,
		entry: journal.record(run, undo),
		state: isWoken ? state : undo.kind === 'unpause' ? 'paused' : 'exited',
		startedAt,
		crashes: crashes(details),
	};
	touched.push(one);
	if (isWoken) {
		return;
	}

	if (undo.kind === 'unpause') {
		try {
			await pause(engine, id, signal);
		} catch (error) {
			// Somebody else paused it meanwhile: then it is theirs to resume.
			if (statusOf(error) === 409) {
				journal.clear(one.entry);
				touched.pop();
			} else if (statusOf(error) === undefined) {
				one.pendingMs = lagOf(undo, 0);
			}

			throw error;
		}

		return;
	}

	await stop(engine, details, {leftMs, onWarning, onLost: pendingMs => (one.pendingMs = pendingMs)});
}

/** Between two crashes it runs for a moment. */
const crashes = ({state, restartCount = 0, startedAt}: ContainerDetails): boolean =>
	state === 'restarting' || (restartCount >= crashesCounted && Date.now() - Date.parse(startedAt) < crashingMs);

/** It may have been exchanged for another since the plan was made. Undefined: it is gone, and nobody is in its place. */
async function present(engine: Engine, {id, name}: Wanted): Promise<ContainerDetails | undefined> {
	const details = await engine.inspect(id).catch(unlessGone);
	if (details !== undefined) {
		return details;
	}

	const successor = (await engine.list()).find(other => other.name === name);
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
		if (statusOf(error) === undefined) {
			onLost(lagOf({kind: 'start', containerId: id, containerName: name}, seconds));
		}

		throw error;
	}

	const {exitCode} = await engine.inspect(id);
	if (exitCode === killedExitCode) {
		const whose = seconds < grace ? `the ${seconds} s that \`${label('quiesce.timeout')}\` left of its ${grace} s` : `its ${grace} s`;
		onWarning?.(`container \`${name}\` did not end within ${whose} and was killed, so its files are as after a crash`);
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
		const now = await engine.inspect(id).catch(unlessGone);
		if (now === undefined) {
			throw new RunError(
				`container \`${name}\` was exchanged for another, or removed, while it was quiesced, so its files were not at rest`,
				{
					hint: 'programs that update or mend containers do this, such as Watchtower and autoheal, and `docker compose up --force-recreate`: keep their hours and those of the backup apart',
				},
			);
		}

		if (now.state !== state || now.startedAt !== startedAt) {
			throw new RunError(`container \`${name}\` was started by somebody else while it was quiesced, so its files were not at rest`, {
				hint: 'a restart policy, a program that mends containers such as autoheal, or a person did it',
			});
		}
	}
}

/** In the reverse order, all at once but for those that need another to be up first. */
async function resume(options: Quiesce, touched: readonly Touched[]): Promise<{failures: unknown[]; back: Touched[]}> {
	const {engine, onWarning} = options;
	const failures: unknown[] = [];
	const back: Touched[] = [];
	const attempts = new Map<string, Promise<void>>();
	for (const one of touched.toReversed()) {
		const isNeeded = touched.some(({undo}) => needsIn(undo).includes(one.id));
		const putBack = async () => {
			await Promise.all(needsIn(one.undo).map(async id => attempts.get(id)));
			try {
				await resumeOne(options, one);
				back.push(one);
			} catch (error) {
				failures.push(error);
				return;
			}

			if (isNeeded && one.undo.kind === 'start') {
				const {verdict, problem} = await untilStarted(engine, one.id, 'healthy');
				if (verdict !== 'up' && verdict !== 'gone') {
					onWarning?.(`container \`${one.name}\` ${problem}; those that need it are started all the same`);
				}
			}
		};
		attempts.set(one.id, putBack());
	}

	await Promise.all(attempts.values());
	return {failures, back};
}

const needsIn = (undo: Undo): readonly string[] => (undo.kind === 'start' ? (undo.needs ?? []) : []);

async function resumeOne({engine, journal}: Quiesce, {undo, entry, pendingMs}: Touched): Promise<void> {
	if (pendingMs !== undefined) {
		await untilHappened(engine, undo, pendingMs);
	}

	await undoOne(engine, undo);
	journal.clear(entry);
}

/** A call that nobody heard the end of is not taken for done. @throws {ResumeError} when it may happen even later: then it stays in the journal */
async function untilHappened(engine: Engine, undo: Undo, patienceMs: number): Promise<void> {
	const deadline = Date.now() + patienceMs;
	while (!(await isUndoable(engine, undo).catch(() => false))) {
		if (Date.now() > deadline) {
			const verb = undo.kind === 'start' ? 'stop' : 'pause';
			throw new ResumeError(`the engine did not say whether it would ${verb} container \`${undo.containerName}\`, and may do so yet`, {
				hint: `it is put back then; look at it with \`docker ps\``,
			});
		}

		await delay(200);
	}
}

async function settled(promises: ReadonlyArray<Promise<unknown>>): Promise<unknown[]> {
	return (await Promise.allSettled(promises)).flatMap(result => (result.status === 'rejected' ? [result.reason] : []));
}

const mustStayUp = ({undo, crashes}: Touched): boolean => undo.kind === 'start' && !crashes;

/** One that exits and comes up is up; one that is slow is told. */
async function watchStart({engine, onWarning}: Quiesce, {id, name}: Touched): Promise<void> {
	for (let attempt = 1; ; attempt++) {
		const start = await untilStarted(engine, id, 'settled');
		if (start.verdict !== 'down') {
			if (start.problem !== '' && start.verdict !== 'gone') {
				onWarning?.(`container \`${name}\` was started again but ${start.problem}`);
			}

			return;
		}

		if (attempt === startAttempts || start.exitCode === 0 || !(await startedAnew(engine, id))) {
			throw notRunning(name, start);
		}
	}
}

/** Only one that the engine leaves down. */
async function startedAnew(engine: Engine, id: string): Promise<boolean> {
	try {
		const {state} = await engine.inspect(id);
		if (state === 'exited') {
			await engine.start(id);
		}

		return state === 'exited';
	} catch {
		return false;
	}
}

const notRunning = (name: string, {problem}: Start) =>
	new ResumeError(`container \`${name}\` was started again but ${problem}`, {
		hint: `see \`docker logs ${name}\`, then run \`docker start ${name}\``,
	});
