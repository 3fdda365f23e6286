import PQueue from 'p-queue';
import type {Client} from '../api/client.ts';
import type {BackupTargets, Refusal, Started} from '../api/shapes.ts';
import {explain, RunError, UsageError} from '../errors.ts';
import type {BackupResult} from '../events.ts';
import type {AddCommand, Context, JsonOption} from './context.ts';
import {type ExitCode, exit, exitOfOutcomes} from './exit.ts';
import {follow, tellGoesOn} from './follow.ts';
import {howToLabel, inBrackets} from './problems.ts';
import {createProgress, type Progress} from './progress.ts';
import {printBackups} from './results.ts';

interface BackupOptions extends JsonOption {
	all?: true;
	cold?: true;
}

export const addBackup: AddCommand = (program, context) => {
	program
		.command('backup')
		.description('back up and wait; a target that fails does not keep the others')
		.argument('[targets...]', 'as `holdfast targets` names them')
		.option('--all', 'every target')
		.option('--cold', 'stop the targets for it, whatever their labels say')
		.addHelpText('after', '\nExamples:\n  $ holdfast backup shop/db shop/app\n  $ holdfast backup --all --json')
		.action(async (targets: string[], options: BackupOptions) => context.end(await backup(context, targets, options)));
};

async function backup(context: Context, targets: readonly string[], {all, cold, json}: BackupOptions): Promise<ExitCode> {
	const client = await context.connect();
	const answers = await client.backup({...wanted(targets, all), ...(cold && {cold})}, 'cli');
	if (answers.length === 0) {
		throw new RunError(howToLabel);
	}

	const results = await awaitAll(context, client, answers, result => json && context.out.json(result));
	if (context.interrupted.aborted) {
		tellGoesOn(context, unfinished(answers, results));
		return exit.interrupted;
	}

	if (!json) {
		printBackups(context.out, context.err, results);
	}

	const nothingKnown = answers.every(answer => 'status' in answer && answer.status === 404);
	return nothingKnown ? exit.usage : exitOfOutcomes(results.map(({outcome}) => outcome));
}

function wanted(targets: readonly string[], all: true | undefined): BackupTargets {
	if (all && targets.length > 0) {
		throw new UsageError('`holdfast backup` takes targets or --all, not both');
	}

	if (!all && targets.length === 0) {
		throw new UsageError('`holdfast backup` needs targets, or --all', {hint: '`holdfast targets` lists them'});
	}

	return all ? {all} : {targets};
}

/** Connections at a time; a run that ends before it is looked at tells its story all the same. */
const mostFollowed = 16;

/** Results in the order of the answers; each is printed as it comes. On Ctrl-C: those that came before. */
async function awaitAll(
	context: Context,
	client: Client,
	answers: ReadonlyArray<Started | Refusal>,
	print: (result: BackupResult) => void,
): Promise<BackupResult[]> {
	const progress = createProgress(context.err);
	const queue = new PQueue({concurrency: mostFollowed});
	const results = await queue.addAll(
		answers.map(answer => async () => {
			const result = await resultOf(context, client, answer, progress);
			if (result) {
				print(result);
			}

			return result;
		}),
	);
	progress.end();
	return results.filter(result => result !== undefined);
}

/** Undefined on Ctrl-C. A target that was refused, or whose run was lost sight of, counts as failed. */
async function resultOf(
	context: Context,
	client: Client,
	answer: Started | Refusal,
	progress: Progress,
): Promise<BackupResult | undefined> {
	if (!('run' in answer)) {
		return failed(context, answer.target, '', answer.error + inBrackets(answer.hint));
	}

	try {
		return (await follow(client, answer.run, progress, context.interrupted)) as BackupResult;
	} catch (error) {
		return context.interrupted.aborted ? undefined : failed(context, answer.target, answer.run, explain(error));
	}
}

const failed = ({now}: Context, target: string, run: string, error: string): BackupResult => ({
	run,
	target,
	outcome: 'failed',
	point: null,
	startedAt: new Date(now()).toISOString(),
	durationSeconds: 0,
	quiesceSeconds: 0,
	sources: [],
	error,
});

const unfinished = (answers: ReadonlyArray<Started | Refusal>, results: readonly BackupResult[]): Started[] =>
	answers.filter((answer): answer is Started => 'run' in answer && !results.some(({run}) => run === answer.run));
