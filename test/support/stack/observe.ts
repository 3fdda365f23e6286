/** A backup with its events, seen as they come. */
import type {RunEvent} from '../../../base/events.ts';
import type {BackupResult} from '../../../base/results.ts';
import type {Stack} from '../stack.ts';

/** Begins a backup over the HTTP API and follows it to its end. `onEvent` may act while the run is in that step; its failures are the caller's. */
export async function observeBackup(
	stack: Stack,
	target: string,
	onEvent: (event: RunEvent) => unknown = () => {},
): Promise<{result: BackupResult; events: RunEvent[]}> {
	const {body} = await stack.api('POST', '/api/v1/backup', {targets: [target], trigger: 'api'});
	const {runs} = body as {runs?: Array<{run?: string; error?: string}>};
	const run = runs?.[0]?.run;
	if (run === undefined) {
		throw new Error(`the backup of ${target} was not accepted: ${JSON.stringify(body)}`);
	}

	const events: RunEvent[] = [];
	const actions: unknown[] = [];
	for await (const event of stack.follow(run)) {
		events.push(event);
		actions.push(onEvent(event));
	}

	await Promise.all(actions);
	const last = events.at(-1);
	if (last?.type !== 'finished' || !('quiesceSeconds' in last.result)) {
		throw new Error(`run ${run} did not end with its result, but with ${JSON.stringify(last)}`);
	}

	return {result: last.result, events};
}

export const stepsOf = (events: readonly RunEvent[]): string[] => events.flatMap(event => (event.type === 'step' ? [event.step] : []));

export const warningsOf = (events: readonly RunEvent[]): string[] =>
	events.flatMap(event => (event.type === 'warning' ? [event.message] : []));
