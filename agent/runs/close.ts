/** A run that is ended by another life of the agent than the one that began it. */
import type {EventHub, FinishedEvent} from '../../base/events.ts';
import type {Log} from '../../base/log.ts';
import {finishedAs, type RunResult} from '../../base/results.ts';
import type {RunRecord, State} from '../state/state.ts';

export interface Closing {
	state: Pick<State, 'finishRun' | 'appendEvent'>;
	hub: EventHub;
	log: Log;
}

export function closeRun({state, hub, log}: Closing, {run, target, operation}: RunRecord, result: RunResult): void {
	state.finishRun(run, Date.now(), result);
	const event: FinishedEvent = {type: 'finished', run, target, at: Date.now(), ...finishedAs(operation, result)};
	state.appendEvent(event);
	hub.send(event);
	log.warning(`${operation} ${run} of \`${target}\` was interrupted by the end of the agent: ${result.outcome}`);
}
