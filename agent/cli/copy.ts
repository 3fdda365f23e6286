import type {WantedCopies} from '../api/shapes.ts';
import {RunError} from '../errors.ts';
import type {CopyResult} from '../events.ts';
import type {AddCommand, Context, JsonOption} from './context.ts';
import {type ExitCode, exit, exitOfOutcomes} from './exit.ts';
import {tellGoesOn} from './follow.ts';
import {followAll, unfinished} from './follow-all.ts';
import {printCopies} from './results.ts';

export const addCopy: AddCommand = (program, context) => {
	program
		.command('copy')
		.description('bring the restore points that are missing there into the copies, and wait')
		.argument('[names...]', 'of copies, as the configuration file has them; all of them without')
		.addHelpText('after', '\nExamples:\n  $ holdfast copy\n  $ holdfast copy offsite --json')
		.action(async (names: string[], {json}: JsonOption) => context.end(await copy(context, names, json)));
};

async function copy(context: Context, names: readonly string[], json: true | undefined): Promise<ExitCode> {
	const client = await context.connect();
	const wanted: WantedCopies = names.length === 0 ? {all: true} : {copies: names};
	const answers = await client.copy(wanted, 'cli');
	if (answers.length === 0) {
		throw new RunError('no copy is configured', {hint: 'docs/copies.md says how'});
	}

	const results = await followAll<CopyResult>(context, {
		client,
		answers,
		print: result => json && context.out.json(result),
		failed: (...failure) => failed(context, ...failure),
	});
	if (context.interrupted.aborted) {
		tellGoesOn(context, unfinished(answers, results));
		return exit.interrupted;
	}

	if (!json) {
		printCopies(context.out, context.err, results);
	}

	const nothingKnown = answers.every(answer => 'status' in answer && answer.status === 404);
	return nothingKnown ? exit.usage : exitOfOutcomes(results.map(({outcome}) => outcome));
}

const failed = ({now}: Context, target: string, run: string, error: string): CopyResult => ({
	run,
	target,
	outcome: 'failed',
	copied: 0,
	removed: 0,
	pruned: false,
	points: null,
	startedAt: new Date(now()).toISOString(),
	durationSeconds: 0,
	error,
});
