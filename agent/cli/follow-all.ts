/** Several runs at once, each followed to its end; then what came of them, and the exit code of it all. */
import PQueue from 'p-queue';
import {explain} from '../../base/errors.ts';
import type {Begun} from '../../base/failed.ts';
import {type Operation, type ResultOf, resultOf} from '../../base/results.ts';
import type {Client} from '../api/client.ts';
import type {Refusal, Started} from '../api/wire.ts';
import type {Context} from './context.ts';
import {type ExitCode, exit, exitOfOutcomes} from './exit.ts';
import {follow, tellGoesOn} from './follow.ts';
import {inBrackets} from './problems.ts';
import {createProgress} from './progress.ts';

/** Connections at a time; a run that ends before it is looked at tells its story all the same. */
const mostFollowed = 16;

interface Followed<Of extends Operation> {
	operation: Of;
	client: Client;
	answers: ReadonlyArray<Started | Refusal>;
	/** A line of JSON for each result as it comes, and no table. */
	json: boolean | undefined;
	/** Called with all of them at the end. */
	print: (results: ReadonlyArray<ResultOf<Of>>) => void;
	/** What stands for a run that was refused, or was lost sight of. */
	failed: (begun: Begun, error: string) => ResultOf<Of>;
}

/** Prints results in the order of the answers. Ctrl-C ends the looking on, not the runs. */
export async function followAll<Of extends Operation>(context: Context, followed: Followed<Of>): Promise<ExitCode> {
	const {answers, json, print} = followed;
	const results = await resultsOf(context, followed);
	if (context.interrupted.aborted) {
		tellGoesOn(context, unfinished(answers, results));
		return exit.interrupted;
	}

	if (!json) {
		print(results);
	}

	const nothingKnown = answers.length > 0 && answers.every(answer => 'status' in answer && answer.status === 404);
	return nothingKnown ? exit.usage : exitOfOutcomes(results.map(({outcome}) => outcome));
}

/** In the order of the answers. On Ctrl-C: those that came before. */
async function resultsOf<Of extends Operation>(
	context: Context,
	{operation, client, answers, json, failed}: Followed<Of>,
): Promise<Array<ResultOf<Of>>> {
	const progress = createProgress(context.err);
	const queue = new PQueue({concurrency: mostFollowed});
	const failedNow = (target: string, run: string, error: string) => {
		const at = new Date(context.now());
		return failed({run, target, startedAt: at, endedAt: at}, error);
	};

	const ofAnswer = async (answer: Started | Refusal): Promise<ResultOf<Of> | undefined> => {
		if (!('run' in answer)) {
			return failedNow(answer.target, '', answer.error + inBrackets(answer.hint));
		}

		try {
			const finished = await follow(client, answer.run, progress, context.interrupted);
			return resultOf(operation, finished) ?? failedNow(answer.target, answer.run, `it was no ${operation}, but a ${finished.operation}`);
		} catch (error) {
			return context.interrupted.aborted ? undefined : failedNow(answer.target, answer.run, explain(error));
		}
	};

	const results = await queue.addAll(
		answers.map(answer => async () => {
			const result = await ofAnswer(answer);
			if (json && result) {
				context.out.json(result);
			}

			return result;
		}),
	);
	progress.end();
	return results.filter(result => result !== undefined);
}

const unfinished = (answers: ReadonlyArray<Started | Refusal>, results: ReadonlyArray<{run: string}>): Started[] =>
	answers.filter((answer): answer is Started => 'run' in answer && !results.some(({run}) => run === answer.run));
