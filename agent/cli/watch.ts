/** Waits for one run and prints its result. */

import type {Client} from '../api/client.ts';
import type {Context} from './context.ts';
import {type ExitCode, exit, exitOfOutcomes} from './exit.ts';
import {follow, tellGoesOn} from './follow.ts';
import {createProgress} from './progress.ts';
import {printResult} from './results.ts';

export interface Watched {
	json: true | undefined;
	client: Client;
	run: string;
	target: string;
	/** What is done to an earlier restore. */
	settles?: 'undo' | 'finish';
}

export async function watch(context: Context, {client, run, target, settles, json}: Watched): Promise<ExitCode> {
	const progress = createProgress(context.err);
	try {
		const finished = await follow(client, run, progress, context.interrupted);
		progress.end();
		json ? context.out.json(finished.result) : printResult(context.out, context.err, finished, settles);
		return exitOfOutcomes([finished.result.outcome]);
	} catch (error) {
		progress.end();
		if (!context.interrupted.aborted) {
			throw error;
		}

		tellGoesOn(context, [{target, run}]);
		return exit.interrupted;
	}
}
