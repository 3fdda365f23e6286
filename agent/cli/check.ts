import type {AddCommand, JsonOption} from './context.ts';
import {watch} from './watch.ts';

interface CheckOptions extends JsonOption {
	readData?: string | true;
}

export const addCheck: AddCommand = (program, context) => {
	program
		.command('check')
		.description('prove that the repository is whole')
		.option('--read-data [part]', 'also read the data itself and compare it: all of it, or the part `n/N`')
		.addHelpText('after', '\nExamples:\n  $ holdfast check\n  $ holdfast check --read-data=1/13\n  $ holdfast check --read-data --json')
		.action(async ({readData, json}: CheckOptions) => {
			const client = await context.connect();
			const run = await client.check(readData === true ? 'all' : (readData ?? null), 'cli');
			context.end(await watch(context, {client, run, target: (await client.run(run)).target, json}));
		});
};
