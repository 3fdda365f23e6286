/** Who listens to runs: what was told before, and then what is told. */
import type {EventHub, FinishedEvent, RunEvent} from '../../base/events.ts';
import {finishedAs} from '../../base/results.ts';
import type {RunRecord, State} from '../state/state.ts';

/** A reader that is this far behind loses progress events, never others. */
const backlogLimit = 1000;

/** All that a run tells, from its first event to its last. */
export async function* followRun(
	state: Pick<State, 'events' | 'findRun'>,
	hub: EventHub,
	run: string,
	signal: AbortSignal,
): AsyncGenerator<RunEvent> {
	const told = state.events(run);
	const end = told.some(({type}) => type === 'finished') ? [] : endOf(state.findRun(run));
	for await (const event of listen(hub, {backlog: [...told, ...end], wants: event => event.run === run, signal})) {
		yield event;
		if (event.type === 'finished') {
			return;
		}
	}
}

/** Of one that is over, and could not tell so: the agent died at just that moment, its disk was full, or its events were let go. */
function endOf(record: RunRecord | undefined): FinishedEvent[] {
	if (!record?.result) {
		return [];
	}

	const {run, target, operation, finishedAt, result} = record;
	return [{type: 'finished', run, target, at: finishedAt ?? Date.now(), ...finishedAs(operation, result)}];
}

interface Listening {
	/** What was told before. */
	backlog: RunEvent[];
	wants: (event: RunEvent) => boolean;
	signal: AbortSignal;
}

/** What was told, then what is told. Nothing can come between the two where both are asked for in one turn. */
export async function* listen(hub: EventHub, {backlog, wants, signal}: Listening): AsyncGenerator<RunEvent> {
	let wake = () => {};
	const unlisten = hub.listen(event => {
		if (wants(event) && (event.type !== 'progress' || backlog.length < backlogLimit)) {
			backlog.push(event);
			wake();
		}
	});
	const onAbort = () => wake();
	signal.addEventListener('abort', onAbort);
	try {
		while (!signal.aborted) {
			const event = backlog.shift();
			if (event === undefined) {
				const {promise, resolve} = Promise.withResolvers<void>();
				wake = resolve;
				if (backlog.length === 0) {
					await promise;
				}

				continue;
			}

			yield event;
		}
	} finally {
		unlisten();
		signal.removeEventListener('abort', onAbort);
	}
}
