/** Who listens to runs: what was told before, and then what is told. */
import type {EventHub, RunEvent} from '../../base/events.ts';
import type {State} from '../state/state.ts';

/** A reader that is this far behind loses progress events, never others. */
const backlogLimit = 1000;

/** All that a run tells, from its first event to its last. */
export async function* followRun(state: State, hub: EventHub, run: string, signal: AbortSignal): AsyncGenerator<RunEvent> {
	for await (const event of listen(hub, {backlog: state.events(run), wants: event => event.run === run, signal})) {
		yield event;
		if (event.type === 'finished') {
			return;
		}
	}
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
