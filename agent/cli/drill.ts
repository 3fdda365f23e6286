import {RunError, UsageError} from '../../base/errors.ts';
import {failed} from '../../base/failed.ts';
import type {DrillTargets} from '../api/wire.ts';
import type {AddCommand, Context, JsonOption} from './context.ts';
import type {ExitCode} from './exit.ts';
import {followAll} from './follow-all.ts';
import {howToLabel} from './problems.ts';
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

	return followAll(context, {
		operation: 'drill',
		client,
		answers,
		json,
		print(results) {
			for (const result of results) {
				printDrill(context.out, context.err, result);
			}
		},
		failed: (begun, error) => failed.drill(begun, '', error),
	});
}

function wanted(target: string | undefined, all: true | undefined, point: string | undefined, from: string | undefined): DrillTargets {
	if (all ? target !== undefined || point !== undefined || from !== undefined : target === undefined) {
		throw new UsageError('`holdfast drill` takes either a target, with or without --point, or --all', {
			hint: '`holdfast targets` lists them',
		});
	}

	return all ? {all} : {target: target ?? '', point: point ?? 'latest', from};
}
