/** The moment: everything that must be done while the target stands still, and nothing else. */
import {setTimeout as delay} from 'node:timers/promises';
import type {Engine} from '../docker/engine.ts';
import {betweenHooks} from '../docker/hooks.ts';
import {type Journal, quiesced} from '../docker/quiesce.ts';
import {CancelledError, explain, PinBlockedError, RunError} from './errors.ts';
import type {Tell} from './events.ts';
import type {Plan} from './plan.ts';

/** A pin is tried this often when paused writers hold locks; the app runs in between. */
const attempts = 4;

interface Moment {
	engine: Engine;
	journal: Journal;
	run: string;
	plan: Plan;
	signal: AbortSignal;
	tell: Tell;
	/** Starts what takes time to start. */
	arm: () => Promise<void>;
	/** Pins what a quiesced container could not answer for. */
	pinBefore: (signal: AbortSignal) => Promise<void>;
	/** Pins everything else. */
	pin: (signal: AbortSignal) => Promise<void>;
}

/** @returns how long the target was quiesced, all attempts together */
export async function moment(options: Moment): Promise<{windowMs: number}> {
	const {engine, journal, run, plan, signal, tell} = options;
	const {value, windowMs} = await betweenHooks(
		{
			engine,
			journal,
			run,
			hooks: plan.hooks,
			signal,
			onSide: side => tell({type: 'step', step: side === 'before' ? 'before-hooks' : 'after-hooks'}),
			onTolerated: error => tell({type: 'warning', message: explain(error)}),
		},
		async () => quiescedWindow(options),
	);
	return {windowMs: Math.max(value, windowMs)};
}

/** Tries again, with the app running in between, while a paused writer holds a lock that a pin needs. */
async function quiescedWindow({engine, journal, run, plan, signal, tell, arm, pinBefore, pin}: Moment): Promise<number> {
	let spentMs = 0;
	for (let attempt = 1; ; attempt++) {
		await arm();
		await pinBefore(signal);
		const begun = performance.now();
		try {
			const {windowMs} = await quiesced(
				{
					engine,
					journal,
					run,
					containers: plan.quiesce,
					limitMs: plan.quiesceTimeoutMs - spentMs,
					signal,
					onQuiesce: subject => tell({type: 'step', step: 'quiesce', subject}),
					onResume: () => tell({type: 'step', step: 'resume'}),
				},
				async inside => {
					tell({type: 'step', step: 'pin'});
					await pin(inside);
				},
			);
			return spentMs + windowMs;
		} catch (error) {
			spentMs += plan.quiesce.length === 0 ? 0 : performance.now() - begun;
			if (!(error instanceof PinBlockedError)) {
				throw error;
			}

			if (attempt === attempts || spentMs >= plan.quiesceTimeoutMs) {
				throw new RunError(`gave up after ${attempt} tries`, {
					cause: error,
					hint: 'use `holdfast.quiesce=stop`, so that the app lets go of its locks',
				});
			}

			tell({type: 'warning', message: `${error.message}; the app runs again, trying again (${attempt} of ${attempts})`});
			await delay(500 * attempt, undefined, {signal}).catch(() => {
				throw new CancelledError('cancelled while waiting for a lock');
			});
		}
	}
}
