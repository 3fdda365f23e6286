import type {AddCommand, JsonOption} from './context.ts';
import {exit} from './exit.ts';
import {howToLabel, printProblems} from './problems.ts';
import {styled} from './text.ts';

export const addTargets: AddCommand = (program, {connect, out, err, end}) => {
	program
		.command('targets')
		.description('list what is found: containers, sources, schedules, mistakes in labels')
		.addHelpText('after', '\nExamples:\n  $ holdfast targets\n  $ holdfast targets --json')
		.action(async ({json}: JsonOption) => {
			const targets = await (await connect()).targets();
			if (json) {
				out.json(targets);
			} else if (targets.length === 0) {
				err.line`${howToLabel()}`;
			} else {
				out.table(
					[
						{title: 'TARGET', wrap: 16},
						{title: 'CONTAINER', wrap: 12},
						{title: 'STATE'},
						{title: 'SOURCES', wrap: 12},
						{title: 'QUIESCE'},
						{title: 'SCHEDULE'},
					],
					targets.map(({target, container, state, sources, quiesce, schedule, problems}) => [
						problems.length > 0 ? styled('red', target) : target,
						container,
						state,
						sources.join(', ') || '-',
						quiesce,
						schedule,
					]),
				);
				printProblems(out, targets);
			}

			end(exit.done);
		});
};
