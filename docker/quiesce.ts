/**
 * Quiesce and resume. What is about to be done is on disk before it is done, so that it is undone whatever dies: the window closes on
 * success, failure, cancel and time-out here, and in `unfinished.ts` after the agent was killed.
 */
import {RunError} from '../base/errors.ts';
import {label} from '../base/label.ts';
import type {Engine} from './engine.ts';
import {goneError, isThere} from './gone.ts';
import {needsOf} from './order.ts';
import {mustStayUp, resume, settled, watchStart} from './put-back.ts';
import {unlessGone} from './refusal.ts';
import {type Quiesce, quiesceOne, type Resting, type Touched, type Wanted} from './still.ts';
import {assertStartable} from './stranded.ts';

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
	const {stopLimitMs = Number.POSITIVE_INFINITY} = options;
	const leftMs = () => Math.min(limit.leftMs(), stopLimitMs - (performance.now() - started));
	const needs = needsOf(
		options.containers.map(({container}) => container),
		options.containers.map(({container}) => container),
	);
	let result: PromiseSettledResult<Value>;
	try {
		// Where something is put back as it was before, nobody is spared for it: the rest of it would stay half done.
		if (options.wakes === undefined) {
			const stopped = options.containers.flatMap(({container, action}) => (action === 'stop' ? [container] : []));
			await assertStartable(engine, stopped);
		}

		const all = options.containers.map(({container, action}) => ({...container, action, needs: [...(needs.get(container.id) ?? [])]}));
		await dependentsFirst(all, signal, async wanted => quiesceOne({...options, signal}, wanted, {touched, resting, leftMs}));

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

/**
 * Who is stopped has its whole grace period, and the outage is that of the slowest, not the sum: containers are stopped at once, each when those
 * that need it have ended. A pause takes no time, and tasks of Swarm end with their service: these wait for all before them, and those behind for them.
 */
async function dependentsFirst(all: readonly Wanted[], signal: AbortSignal, act: (wanted: Wanted) => Promise<void>): Promise<void> {
	const begun: Array<{wanted: Wanted; isAlone: boolean; done: Promise<void>}> = [];
	let hasFailed = false;
	for (const wanted of all) {
		const isAlone = wanted.action === 'pause' || wanted.swarm !== undefined;
		const before = begun.filter(other => isAlone || other.isAlone || other.wanted.needs.includes(wanted.id)).map(({done}) => done);
		const inTurn = async () => {
			await Promise.all(before);
			signal.throwIfAborted();
			if (!hasFailed) {
				await act(wanted);
			}
		};
		const done = inTurn().catch((error: unknown) => {
			hasFailed = true;
			throw error;
		});
		begun.push({wanted, isAlone, done});
	}

	// Whoever the engine was asked to stop must be known when they are put back.
	const failures = [...new Set(await settled(begun.map(({done}) => done)))];
	if (failures.length > 0) {
		throw failures.length === 1 ? failures[0] : new AggregateError(failures);
	}
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

/** A restart policy, an engine restart, a restore or a person may have started what was quiesced, or did not run, or ended it: then the files were not at rest. */
async function assertUntouched(engine: Engine, all: readonly Resting[]): Promise<void> {
	for (const {id, name, state, startedAt, service} of all) {
		if (service !== undefined) {
			await assertScaledDown(engine, service);
			continue;
		}

		const now = await engine.inspect(id).catch(unlessGone);
		if (now === undefined || !isThere(now.state)) {
			throw await goneError(engine, name, state === 'exited');
		}

		if (now.state === 'exited' && state === 'paused') {
			throw new RunError(`container \`${name}\` ended while it was paused, so its files were not at rest`, {
				hint: '`docker stop`, `docker rm --force`, `docker compose down`, a program that updates or mends containers, or the memory that ran out',
			});
		}

		if (now.state !== state || now.startedAt !== startedAt) {
			throw new RunError(`container \`${name}\` was started by somebody else while it was quiesced, so its files were not at rest`, {
				hint: 'a restart policy, a program that mends containers such as autoheal, or a person did it',
			});
		}
	}
}

async function assertScaledDown(engine: Engine, id: string): Promise<void> {
	const service = await engine.service(id);
	if (service !== undefined && service.replicas + service.running > 0) {
		throw new RunError(`somebody else scaled the Swarm service \`${service.name}\` while it was quiesced, so its files were not at rest`);
	}
}
