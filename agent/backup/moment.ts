/** The moment: everything that must be done while the target stands still, and nothing else. */

import {setTimeout as delay} from 'node:timers/promises';
import {CancelledError, explain, PinBlockedError, RunError} from '../../base/errors.ts';
import type {Tell} from '../../base/events.ts';
import type {Engine} from '../../docker/engine.ts';
import {betweenHooks} from '../../docker/hooks.ts';
import {quiesced} from '../../docker/quiesce.ts';
import type {Journal} from '../../docker/resume.ts';
import type {Plan} from '../plan/planned.ts';
import type {Crew} from './crew.ts';
import {watchNewcomers} from './newcomers.ts';

/** A pin is tried this often when paused writers hold locks; the app runs in between. */
const attempts = 4;

interface Moment {
	engine: Engine;
	journal: Journal;
	run: string;
	plan: Plan;
	signal: AbortSignal;
	tell: Tell;
	/** A try begins: where it succeeds, the point shows this moment. */
	onTry: () => void;
	/** What a person should know of how the containers stood still and came back, although the run goes on. */
	onWarning: (message: string) => void;
	/** How long the target was quiesced, all tries together, whatever the outcome. */
	onWindow: (windowMs: number) => void;
}

/** Arms the crew and pins it, with the target at rest and its hooks around that. */
export async function moment(options: Moment, crew: Pick<Crew, 'arm' | 'pinBefore' | 'pin'>): Promise<void> {
	const {engine, journal, run, plan, signal, tell, onTry, onWindow} = options;
	let quiescedMs = 0;
	onTry();
	await crew.arm();
	await betweenHooks(
		{
			engine,
			journal,
			run,
			hooks: plan.hooks,
			signal,
			onSide: side => tell({type: 'step', step: side === 'before' ? 'before-hooks' : 'after-hooks'}),
			onTolerated: error => tell({type: 'warning', message: explain(error)}),
		},
		async () =>
			retried(options, crew, windowMs => {
				quiescedMs += windowMs;
				onWindow(quiescedMs);
			}),
	);
}

/** Tries again, with the app running in between, while a paused writer holds a lock that a pin needs. */
async function retried(options: Moment, crew: Parameters<typeof moment>[1], onWindow: (windowMs: number) => void): Promise<void> {
	const {plan, signal, tell, onTry} = options;
	let leftMs = plan.quiesceTimeoutMs;
	for (let attempt = 1; ; attempt++) {
		await crew.pinBefore(signal);
		try {
			return await atRest(options, crew.pin, leftMs, windowMs => {
				leftMs -= windowMs;
				onWindow(windowMs);
			});
		} catch (error) {
			if (!(error instanceof PinBlockedError)) {
				throw error;
			}

			if (attempt === attempts || leftMs <= 0) {
				// What helps depends on whose lock it is: the source's own hint says it.
				throw new RunError(`gave up after ${attempt} tries`, {cause: error});
			}

			tell({type: 'warning', message: `${error.message}; the app runs again, trying again (${attempt} of ${attempts})`});
			await delay(500 * attempt, undefined, {signal}).catch(() => {
				throw new CancelledError('cancelled while waiting for a lock');
			});
			onTry();
			await crew.arm();
		}
	}
}

async function atRest(
	{engine, journal, run, plan, signal, tell, onWarning}: Moment,
	pin: Crew['pin'],
	limitMs: number,
	onWindow: (windowMs: number) => void,
) {
	const assertAlone = await watchNewcomers(engine, plan);
	// Where nothing stands still, and no hook has to put anything back, there is no outage to bound.
	const isOutage = plan.quiesce.length > 0 || plan.hooks.some(({when}) => when === 'after');
	await quiesced(
		{
			engine,
			journal,
			run,
			containers: [...plan.quiesce, ...plan.resting],
			limitMs: isOutage ? limitMs : undefined,
			signal,
			onQuiesce: subject => tell({type: 'step', step: 'quiesce', subject}),
			onResume: () => tell({type: 'step', step: 'resume'}),
			onWarning,
			onWindow,
		},
		async inside => {
			tell({type: 'step', step: 'pin'});
			await pin(inside);
			await assertAlone();
		},
	);
}
