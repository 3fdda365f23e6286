import PQueue from 'p-queue';
import {explain, RunError, UsageError} from '../../base/errors.ts';
import type {DrillResult} from '../../base/results.ts';
import type {Client} from '../api/client.ts';
import type {DrillTargets, Refusal, Started} from '../api/wire.ts';
import type {AddCommand, Context, JsonOption} from './context.ts';
import {type ExitCode, exit, exitOfOutcomes} from './exit.ts';
import {follow, tellGoesOn} from './follow.ts';
import {howToLabel, inBrackets} from './problems.ts';
import {createProgress, type Progress} from './progress.ts';
import {printDrill} from './results.ts';

interface DrillOptions extends JsonOption {
	all?: true;
	point?: string;
	from?: string;
}

export const addDrill: AddCommand = (program, context) => {
	program
		.command('drill')
		.description('rehearse a restore: load a point into scratch, check it, throw the scratch away')
		.argument('[target]', 'as `holdfast targets` names it')
		.option('--point <id>', 'as `holdfast points` names it; the latest without')
		.option('--from <copy>', 'a point of a copy, instead of the primary repository')
		.option('--all', 'the latest point of every target')
		.addHelpText(
			'after',
			'\nExamples:\n  $ holdfast drill shop/db\n  $ holdfast drill shop/db --point 20261121t030000-3f9a2c1\n  $ holdfast drill --all --json',
		)
		.action(async (target: string | undefined, options: DrillOptions) => context.end(await drill(context, target, options)));
};

async function drill(context: Context, target: string | undefined, {all, point, from, json}: DrillOptions): Promise<ExitCode> {
	const client = await context.connect();
	const answers = await client.drill(wanted(target, all, point, from), 'cli');
	if (answers.length === 0) {
		throw new RunError(howToLabel());
	}

	const progress = createProgress(context.err);
	const queue = new PQueue({concurrency: mostFollowed});
	const results = await queue.addAll(answers.map(answer => async () => resultOf(context, client, answer, progress)));
	progress.end();
	const known = results.filter(result => result !== undefined);
	if (context.interrupted.aborted) {
		tellGoesOn(context, answers.filter(answer => 'run' in answer && !known.some(({run}) => run === answer.run)) as Started[]);
		return exit.interrupted;
	}

	for (const result of known) {
		json ? context.out.json(result) : printDrill(context.out, context.err, result);
	}

	return exitOfOutcomes(known.map(({outcome}) => outcome));
}

/** Connections at a time. */
const mostFollowed = 16;

function wanted(target: string | undefined, all: true | undefined, point: string | undefined, from: string | undefined): DrillTargets {
	if (all ? target !== undefined || point !== undefined || from !== undefined : target === undefined) {
		throw new UsageError('`holdfast drill` takes either a target, with or without --point, or --all', {
			hint: '`holdfast targets` lists them',
		});
	}

	return all ? {all} : {target: target ?? '', point: point ?? 'latest', from};
}

/** Undefined on Ctrl-C. A target that was refused, or whose run was lost sight of, counts as failed. */
async function resultOf(
	{interrupted, now}: Context,
	client: Client,
	answer: Started | Refusal,
	progress: Progress,
): Promise<DrillResult | undefined> {
	const failed = (run: string, error: string): DrillResult => ({
		run,
		target: answer.target,
		point: '',
		outcome: 'failed',
		startedAt: new Date(now()).toISOString(),
		durationSeconds: 0,
		sources: [],
		error,
	});
	if (!('run' in answer)) {
		return failed('', answer.error + inBrackets(answer.hint));
	}

	try {
		return (await follow(client, answer.run, progress, interrupted)) as DrillResult;
	} catch (error) {
		return interrupted.aborted ? undefined : failed(answer.run, explain(error));
	}
}
