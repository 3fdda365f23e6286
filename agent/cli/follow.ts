import {RunError} from '../../base/errors.ts';
import type {Finished} from '../../base/results.ts';
import type {Client} from '../api/client.ts';
import type {Context} from './context.ts';
import type {Progress} from './progress.ts';

/**
 * Waits for a run and shows what it tells.
 * @throws {RunError} when the agent is lost; the run may go on. Rejects with the signal's reason on Ctrl-C.
 */
export async function follow(client: Client, run: string, progress: Progress, signal: AbortSignal): Promise<Finished> {
	for await (const event of client.follow(run, signal)) {
		progress.add(event);
		if (event.type === 'finished') {
			return event;
		}
	}

	throw new RunError(`the agent at ${client.url} does not say how run ${run} ended`);
}

/** What a person must know who pressed Ctrl-C: the agent works, not this command. */
export function tellGoesOn({err}: Context, runs: ReadonlyArray<{target: string; run: string}>): void {
	for (const {target, run} of runs) {
		err.line`${target}: run ${run} goes on in the agent; to stop it: holdfast cancel ${run}`;
	}
}
