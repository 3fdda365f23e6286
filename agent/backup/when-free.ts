/** When a backup may begin: its target is known as it is now, and nobody else has in hand what it would touch. */
import {setTimeout as delay} from 'node:timers/promises';
import {explain, NotFoundError} from '../../base/errors.ts';
import type {Surveyed} from '../plan/planned.ts';
import type {Survey} from '../plan/survey.ts';
import type {RunContext} from '../runs/runs.ts';
import type {State} from '../state/state.ts';
import {touchedBy, untilWhole} from './touched.ts';

/** A plan that has waited longer for its turn is made anew: meanwhile its containers may have been recreated, started or stopped. */
const freshMs = 5000;

/** How long an engine that does not answer is waited for, when a backup is due: it may be restarted, or updated. */
const engineMs = 15 * 60_000;
const engineRetryMs = 5000;

/** What was asked for, and how things were then. */
export interface Asked {
	target: string;
	/** Undefined: the engine did not answer. */
	surveyed: Surveyed | undefined;
	cold: boolean | undefined;
	isScheduled: boolean;
	/** Milliseconds since 1970. */
	at: number;
	/** Another run had some of it in hand then: its containers may have stood still, and been asked in vain. */
	disturbed: boolean;
}

interface Known {
	survey: Pick<Survey, 'one'>;
	state: State;
}

/** Waits for those who have in hand what it would touch, and plans anew whenever what is known may be old. */
export async function whenFree({survey, state}: Known, asked: Asked, {signal, tell, hold}: RunContext): Promise<Surveyed> {
	let {surveyed} = asked;
	let isFresh = Date.now() - asked.at < freshMs && !asked.disturbed;
	for (;;) {
		if (!isFresh || surveyed === undefined) {
			surveyed = await whenAnswered(survey, asked, {signal, tell});
		}

		const hasWaited = await hold(touchedBy(surveyed));
		isFresh = !(await untilWhole(state, surveyed, {signal, tell})) && !hasWaited;
		if (isFresh) {
			return surveyed;
		}
	}
}

/** The target as it is now. @throws what the engine, or a server, says at last */
async function whenAnswered(
	survey: Known['survey'],
	{target, cold, isScheduled}: Asked,
	{signal, tell}: Pick<RunContext, 'signal' | 'tell'>,
): Promise<Surveyed> {
	const deadline = Date.now() + (isScheduled ? engineMs : 0);
	for (;;) {
		try {
			return await survey.one(target, {cold});
		} catch (error) {
			if (error instanceof NotFoundError || Date.now() >= deadline) {
				throw error;
			}

			tell({type: 'warning', message: `the target cannot be looked at, trying again for ${engineMs / 60_000} min: ${explain(error)}`});
		}

		await delay(engineRetryMs, undefined, {signal}).catch(() => signal.throwIfAborted());
	}
}
