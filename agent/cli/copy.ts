import {RunError} from '../../base/errors.ts';
import {failed} from '../../base/failed.ts';
import type {WantedCopies} from '../api/wire.ts';
import type {AddCommand, Context, JsonOption} from './context.ts';
import type {ExitCode} from './exit.ts';
import {followAll} from './follow-all.ts';
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

	return followAll(context, {
		operation: 'copy',
		client,
		answers,
		json,
		print: results => printCopies(context.out, context.err, results),
		failed: failed.copy,
	});
}
