import {RunError, UsageError} from '../../base/errors.ts';
import {failed} from '../../base/failed.ts';
import type {BackupTargets} from '../api/wire.ts';
import type {AddCommand, Context, JsonOption} from './context.ts';
import {type ExitCode, exit} from './exit.ts';
import {followAll} from './follow-all.ts';
import {howToLabel, inBrackets} from './problems.ts';
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
		throw new RunError(howToLabel());
	}

	// Who is named is meant; of all, those that rest are left to rest.
	const resting = answers.filter(answer => all && 'resting' in answer && answer.resting);
	for (const {error, hint} of resting.filter(answer => 'error' in answer)) {
		context.err.line`${error}${inBrackets(hint)}`;
	}

	if (resting.length === answers.length) {
		context.err.line`nothing is backed up: all targets rest`;
		return exit.partial;
	}

	return followAll(context, {
		operation: 'backup',
		client,
		answers: answers.filter(answer => !resting.includes(answer)),
		json,
		print: results => printBackups(context.out, context.err, results),
		failed: failed.backup,
	});
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
