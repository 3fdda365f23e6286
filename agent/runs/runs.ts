/** Runs: one at a time for each target, a few at a time for all, each with its events, its cancel and its record. */

import {BusyError, CancelledError, NotFoundError, UsageError} from '../../base/errors.ts';
import type {EventHub, RunEvent, Tell} from '../../base/events.ts';
import {runId} from '../../base/ids.ts';
import {finishedAs, type Operation, type RunResult} from '../../base/results.ts';
import type {Accepted} from '../../base/shapes/runs.ts';
import type {State} from '../state/state.ts';
import {unlessUnwritable} from '../state/unwritten.ts';
import {createHolds, type Touched} from './holds.ts';
import {type Holding, takeTurn} from './in-hand.ts';
import {followRun, listen} from './listening.ts';
import {type Stall, watchProgress} from './stall.ts';
import {createTeller} from './teller.ts';
import {createTurns} from './turns.ts';

/** What a run works with. */
export interface RunContext extends Holding {
	run: string;
	startedAt: Date;
	signal: AbortSignal;
	tell: Tell;
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

const locksOf = ({operation, target, occupies = [], beside = false}: Job<RunResult>): string[] =>
	beside ? [besideLock(operation, target)] : [...new Set([target, ...occupies])];

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

	const holding = (lock: string) => [...active].find(([, other]) => other.locks.includes(lock))?.[0];

	const assertIdle = (locks: readonly string[], {target, beside = false}: Pick<Job<RunResult>, 'target' | 'beside'>): void => {
		for (const wanted of locks) {
			const other = holding(wanted);
			if (other !== undefined) {
				throw new BusyError(`\`${beside ? target : wanted}\` is busy with run ${other}`, {
					hint: `wait for it, or stop it: holdfast cancel ${other}`,
					run: other,
				});
			}
		}
	};

	/** From its turn to its record. @param say what it tells is heard by everybody */
	const perform = async <Result extends RunResult>(
		{operation, exclusive = false, background = false, work}: Job<Result>,
		{run, controller, say}: {run: string; controller: AbortController; say: Tell},
	): Promise<Result> => {
		const {signal} = controller;
		let stall: Stall | undefined;
		const tell: Tell = event => {
			stall?.hear(event);
			say(event);
		};
		const {release, ...inHand} = await takeTurn({
			run,
			signal,
			holds,
			turn: async () => (background ? () => {} : turns.take({exclusive, signal})),
			nameOf: other => `run ${other}${active.has(other) ? ` (${active.get(other)?.what})` : ''}`,
			onWait(other) {
				const own = active.get(run);
				if (own !== undefined) {
					own.waitsFor = other;
				}

				if (other !== undefined) {
					stall?.pause();
					tell({type: 'step', step: 'wait', subject: other});
				}
			},
			onGoOn: () => stall?.goOn(),
		});
		let result: Result;
		try {
			const startedAt = new Date();
			stall = watchProgress({limitMs: stallLimitMs, isActive: activity(run), onStall: reason => controller.abort(reason)});
			state.startRun(run, startedAt.getTime());
			result = await work({run, startedAt, signal, tell, ...inHand});
			unlessUnwritable(() => {
				if (state.findRun(run)?.state !== 'finished') {
					state.finishRun(run, Date.now(), result);
				}
			});
		} finally {
			stall?.stop();
			active.delete(run);
			release();
		}

		tell({type: 'finished', ...finishedAs(operation, result)});
		return result;
	};

	return {
		current: target => holding(target) ?? holding(besideLock('drill', target)),
		isUnderWay: run => active.has(run),
		waitsFor: run => active.get(run)?.waitsFor,
		holder: holds.holder,
		isAlone: run => active.size === 1 && active.has(run),
		start(job) {
			if (closing) {
				throw new BusyError('the agent is shutting down');
			}

			const {operation, target, trigger} = job;
			const locks = locksOf(job);
			assertIdle(locks, job);
			const queuedAt = Date.now();
			const run = runId(queuedAt);
			const say = createTeller({run, target, send});
			state.insertRun({run, target, operation, trigger, queuedAt});
			say({type: 'queued', operation, trigger});
			const controller = new AbortController();
			const finished = perform(job, {run, controller, say});
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
