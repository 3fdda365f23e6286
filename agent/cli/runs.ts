import {finishedAs} from '../../base/results.ts';
import type {RunView} from '../../base/shapes/runs.ts';
import {duration, moment, when} from '../../base/units.ts';
import type {AddCommand, JsonOption} from './context.ts';
import {exit} from './exit.ts';
import {limitOption} from './limit-option.ts';
import type {Output} from './output.ts';
import {styleOfOutcome} from './progress.ts';
import {printResult} from './results.ts';
import {styled, type Text} from './text.ts';

interface RunsOptions extends JsonOption {
	target?: string;
	limit: number;
}

export const addRuns: AddCommand = (program, {connect, out, err, end, now}) => {
	program
		.command('runs')
		.description('show the history, newest first; or one run')
		.argument('[run]', "a run's id")
		.option('--target <target>', 'only the runs of this one')
		.addOption(limitOption({what: 'how many', usual: 20, most: 1000}))
		.addHelpText('after', '\nExamples:\n  $ holdfast runs --target shop/db --limit 5\n  $ holdfast runs 20261121t030000-3f9a2c1 --json')
		.action(async (id: string | undefined, {json, target, limit}: RunsOptions) => {
			const client = await connect();
			if (id !== undefined) {
				const run = await client.run(id);
				json ? out.json(run) : printRun(out, run);
				return end(exit.done);
			}

			const runs = await client.runs({target, limit});
			if (json) {
				out.json(runs);
			} else if (runs.length === 0) {
				err.line`no runs yet: holdfast backup ${target ?? '--all'}`;
			} else {
				out.table(
					[
						{title: 'RUN'},
						{title: 'TARGET', wrap: 8},
						{title: 'OPERATION'},
						{title: 'OUTCOME'},
						{title: 'STARTED', wrap: 7},
						{title: 'TOOK', align: 'right'},
						{title: 'ASKED BY', wrap: 8},
					],
					runs.map(run => [
						run.run,
						run.target,
						run.operation,
						outcome(run),
						when(run.startedAt, now()),
						run.durationSeconds === null ? '-' : duration(run.durationSeconds),
						run.trigger,
					]),
				);
			}

			end(exit.done);
		});
};

const outcome = ({state, outcome}: RunView): Text => (outcome ? styled(styleOfOutcome[outcome], outcome) : state);

function printRun(output: Output, run: RunView): void {
	output.line`${run.operation} of ${styled('bold', run.target)}, run ${run.run}, asked by ${run.trigger}`;
	output.line`started ${moment(run.startedAt)}, ${outcome(run)}${run.durationSeconds === null ? '' : ` after ${duration(run.durationSeconds)}`}`;
	if (run.result) {
		printResult(output, output, finishedAs(run.operation, run.result));
	}
}
