/** Runs: one at a time for each target, a few at a time for all, each with its events, its cancel and its record. */

import {setTimeout as delay} from 'node:timers/promises';
import {BusyError, CancelledError, NotFoundError, RunError, UsageError} from '../../base/errors.ts';
import type {EventHub, RunEvent, Tell} from '../../base/events.ts';
import {runId} from '../../base/ids.ts';
import {finishedAs, type Operation, type RunResult} from '../../base/results.ts';
import type {Accepted} from '../../base/shapes/runs.ts';
import type {State} from '../state/state.ts';
import {unlessUnwritable} from '../state/unwritten.ts';
import {createHolds, type Touched} from './holds.ts';
import {followRun, listen} from './listening.ts';
import {type Stall, watchProgress} from './stall.ts';
import {createTeller} from './teller.ts';
import {createTurns} from './turns.ts';

/** What a run works with. */
export interface RunContext {
	run: string;
	startedAt: Date;
	signal: AbortSignal;
	tell: Tell;
	/**
	 * Waits until no other run has any of it in hand, and keeps it from others until this run is over; tells for whom it waits. Who waits gives
	 * its turn to others. Asked again, it takes the place of what was asked before.
	 * @returns whether it had to wait: then what was known may be old
	 * @throws the signal's reason
	 */
	hold: (touched: readonly Touched[]) => Promise<boolean>;
	/**
	 * Keeps it from others, too, and gives back nothing of what was asked for before: for what is found late. Waits a while for who has it.
	 * @throws {RunError} that names who has it still; the signal's reason
	 */
	holdMore: (touched: readonly Touched[]) => Promise<void>;
}

export interface Job<Result extends RunResult> {
	operation: Operation;
	target: string;
	/** Further targets that it works on: they are busy meanwhile, too. */
	occupies?: readonly string[];
	trigger: string;
	/** Waits until no other run is under way, and keeps the later ones waiting. */
	exclusive?: boolean;
	/** Touches nothing of the target: it goes on beside another run of it, but not beside one of its own operation. */
	beside?: boolean;
	/** Takes no turn: it may last for days, works with the repositories alone, and restic's locks keep it and maintenance apart. */
	background?: boolean;
	/** Never rejects: a failure is an outcome. A run that is cancelled while it waits is called without its turn: nothing may be done then. */
	work: (context: RunContext) => Promise<Result>;
}

export interface Runs {
	/** @throws {BusyError} */
	start: <Result extends RunResult>(job: Job<Result>) => Accepted<Result>;
	/** The run of a target that is queued or under way; one that goes on beside others only where there is no other. */
	current: (target: string) => string | undefined;
	/** Whether this run is queued or under way. */
	isUnderWay: (run: string) => boolean;
	/** For people: for whom the run waits now. */
	waitsFor: (run: string) => string | undefined;
	/** The first run that has any of it in hand, or waits for it. */
	holder: (touched: readonly Touched[]) => string | undefined;
	/** No other run is queued or under way. */
	isAlone: (run: string) => boolean;
	/** @throws {NotFoundError | UsageError} */
	cancel: (run: string) => Promise<void>;
	/** @throws {NotFoundError} */
	follow: (run: string, signal: AbortSignal) => AsyncIterable<RunEvent>;
	/** What every run tells from now on, after the last step of those under way. Never ends by itself. */
	watch: (signal: AbortSignal) => AsyncIterable<RunEvent>;
	/** Cancels what is under way and waits for it. */
	close: () => Promise<void>;
}

/** Who has something in hand and needs more waits this long: two that wait for each other would wait for ever. */
const morePatienceMs = 10 * 60_000;
const moreRetryMs = 500;

interface Active {
	/** No other run of any of these locks is queued or under way. */
	locks: readonly string[];
	controller: AbortController;
	finished: Promise<unknown>;
	/** For people. */
	what: string;
	waitsFor?: string | undefined;
}

const besideLock = (operation: Operation, target: string) => `${operation} of ${target}`;

interface RunsOptions {
	state: State;
	hub: EventHub;
	concurrency: number;
	/** How long a run may get no further. */
	stallLimitMs?: number | undefined;
	/** Gives what tells whether the workers of a run did something since it was asked last. */
	activity?: ((run: string) => () => Promise<boolean>) | undefined;
}

const noActivity = () => async () => false;

export function createRuns({state, hub, concurrency, stallLimitMs = 30 * 60_000, activity = noActivity}: RunsOptions): Runs {
	const turns = createTurns(concurrency);
	const holds = createHolds();
	const active = new Map<string, Active>();
	let closing = false;

	const send = (event: RunEvent): void => {
		if (event.type !== 'progress') {
			state.appendEvent(event);
		}

		hub.send(event);
	};

	const mark = (run: string, waitsFor: string | undefined): void => {
		const found = active.get(run);
		if (found !== undefined) {
			found.waitsFor = waitsFor;
		}
	};

	const holding = (lock: string) => [...active].find(([, other]) => other.locks.includes(lock))?.[0];

	return {
		current: target => holding(target) ?? holding(besideLock('drill', target)),
		isUnderWay: run => active.has(run),
		waitsFor: run => active.get(run)?.waitsFor,
		holder: holds.holder,
		isAlone: run => active.size === 1 && active.has(run),
		start<Result extends RunResult>({
			operation,
			target,
			occupies = [],
			trigger,
			exclusive = false,
			beside = false,
			background = false,
			work,
		}: Job<Result>): Accepted<Result> {
			if (closing) {
				throw new BusyError('the agent is shutting down');
			}

			const locks = beside ? [besideLock(operation, target)] : [...new Set([target, ...occupies])];
			for (const wanted of locks) {
				const other = holding(wanted);
				if (other !== undefined) {
					throw new BusyError(`\`${beside ? target : wanted}\` is busy with run ${other}`, {
						hint: `wait for it, or stop it: holdfast cancel ${other}`,
						run: other,
					});
				}
			}

			const queuedAt = Date.now();
			const run = runId(queuedAt);
			const controller = new AbortController();
			let stall: Stall | undefined;
			const say = createTeller({run, target, send});
			const tell: Tell = event => {
				stall?.hear(event);
				say(event);
			};
			state.insertRun({run, target, operation, trigger, queuedAt});
			tell({type: 'queued', operation, trigger});
			const perform = async (): Promise<Result> => {
				const {signal} = controller;
				const turn = async () => (background ? () => {} : turns.take({exclusive, signal}));
				let end = await turn().catch(() => () => {});
				const nameOf = (other: string) => `run ${other}${active.has(other) ? ` (${active.get(other)?.what})` : ''}`;
				const onWait = (other: string): void => {
					// Whoever waits for a run must not keep others from theirs.
					end();
					end = () => {};
					stall?.pause();
					tell({type: 'step', step: 'wait', subject: nameOf(other)});
					mark(run, nameOf(other));
				};
				const waited = async (hasWaited: boolean): Promise<boolean> => {
					mark(run, undefined);
					if (hasWaited) {
						end = await turn();
						stall?.goOn();
					}

					return hasWaited;
				};
				const hold = async (touched: readonly Touched[]): Promise<boolean> => waited(await holds.take(run, touched, {signal, onWait}));
				const holdMore = async (touched: readonly Touched[]): Promise<void> => {
					const deadline = performance.now() + morePatienceMs;
					let last: string | undefined;
					for (let other = holds.more(run, touched); other !== undefined; other = holds.more(run, touched)) {
						if (performance.now() > deadline) {
							throw new RunError(
								`what stands still for it was still in the hands of ${nameOf(other)} after ${morePatienceMs / 60_000} min`,
							);
						}

						if (other !== last) {
							onWait(other);
						}

						last = other;
						await delay(moreRetryMs, undefined, {signal}).catch(() => signal.throwIfAborted());
					}

					await waited(last !== undefined);
				};
				let result: Result;
				try {
					const startedAt = new Date();
					stall = watchProgress({limitMs: stallLimitMs, isActive: activity(run), onStall: reason => controller.abort(reason)});
					state.startRun(run, startedAt.getTime());
					result = await work({run, startedAt, signal, tell, hold, holdMore});
					unlessUnwritable(() => {
						if (state.findRun(run)?.state !== 'finished') {
							state.finishRun(run, Date.now(), result);
						}
					});
				} finally {
					stall?.stop();
					active.delete(run);
					holds.release(run);
					end();
				}

				tell({type: 'finished', ...finishedAs(operation, result)});
				return result;
			};
			const finished = perform();
			active.set(run, {locks, controller, finished, what: `${operation} of ${target}`});
			return {run, finished};
		},
		async cancel(run) {
			const found = active.get(run);
			if (found === undefined) {
				throw state.findRun(run) === undefined
					? new NotFoundError(`there is no run \`${run}\``, {hint: '`holdfast runs` lists them'})
					: new UsageError(`run \`${run}\` is already finished`, {hint: `\`holdfast runs ${run}\` says how`});
			}

			found.controller.abort(new CancelledError('the run was cancelled'));
			await found.finished;
		},
		follow(run, signal) {
			if (state.findRun(run) === undefined) {
				throw new NotFoundError(`there is no run \`${run}\``, {hint: '`holdfast runs` lists them'});
			}

			return followRun(state, hub, run, signal);
		},
		async *watch(signal) {
			const backlog = [...active.keys()].flatMap(run => state.events(run).findLast(({type}) => type === 'step') ?? []);
			yield* listen(hub, {backlog, wants: () => true, signal});
		},
		async close() {
			closing = true;
			for (const {controller} of active.values()) {
				controller.abort(new CancelledError('the agent is shutting down'));
			}

			await Promise.allSettled([...active.values()].map(async ({finished}) => finished));
		},
	};
}
