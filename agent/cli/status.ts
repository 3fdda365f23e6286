import {newestPointOf, type Present, presentOf} from '../../base/present.ts';
import type {StatusView} from '../../base/shapes/targets.ts';
import {duration, when} from '../../base/units.ts';
import type {AddCommand, JsonOption} from './context.ts';
import {exit} from './exit.ts';
import {howToLabel, printProblems} from './problems.ts';
import {styleOfOutcome} from './progress.ts';
import {styled, type Text} from './text.ts';

export const addStatus: AddCommand = (program, {connect, out, err, end, now}) => {
	program
		.command('status')
		.description('show the last and the next run of each target')
		.addHelpText('after', '\nExamples:\n  $ holdfast status\n  $ holdfast status --json')
		.action(async ({json}: JsonOption) => {
			const status = await (await connect()).status();
			if (json) {
				out.json(status);
			} else if (status.length === 0) {
				err.line`${howToLabel()}`;
			} else {
				out.table(
					[
						{title: 'TARGET', wrap: 12},
						{title: 'LAST RUN', wrap: 10},
						{title: 'LAST SUCCESS'},
						{title: 'OUTAGE', align: 'right'},
						{title: 'NEXT RUN'},
						{title: 'LAST DRILL', wrap: 10},
						{title: 'NOW', wrap: 8},
					],
					status.map(row => cells(row, now())),
				);
				printLastErrors(out, status);
				printProblems(out, status);
			}

			end(exit.done);
		});
};

function cells(status: StatusView, now: number): Text[] {
	const {target, lastRun, nextRun, nextColdRun, lastDrill} = status;
	return [
		target,
		lastRun ? styled(styleOfOutcome[lastRun.outcome], `${lastRun.outcome} ${when(lastRun.startedAt, now)}`) : '-',
		newestCell(status, now),
		lastRun ? duration(lastRun.quiesceSeconds) : '-',
		nextColdRun === undefined ? when(nextRun, now) : `${when(nextRun, now)}, cold ${when(nextColdRun, now)}`,
		lastDrill ? styled(styleOfOutcome[lastDrill.outcome], `${lastDrill.outcome} ${when(lastDrill.startedAt, now)}`) : '-',
		presentCell(presentOf(status, {now})),
	];
}

export function newestCell(status: StatusView, now: number): Text {
	const newest = newestPointOf(status, now);
	if (newest === undefined) {
		return styled(status.late ? 'red' : 'yellow', 'never');
	}

	return status.late ? styled('red', `${newest}, late`) : newest;
}

export const presentCell = (present: Present | undefined): Text =>
	present === undefined ? '-' : present.isWrong ? styled('red', present.text) : present.text;

function printLastErrors(out: Parameters<typeof printProblems>[0], status: readonly StatusView[]): void {
	for (const {target, lastRun, lastDrill, suspicion, absent} of status) {
		if (absent) {
			out.line`${target}: ${styled('yellow', 'backed up only')} ${absent}`;
		}

		if (suspicion) {
			out.line`${target}: ${styled('yellow', 'much smaller than before')}: ${suspicion}`;
		}

		if (lastRun?.error) {
			out.line`${target}: last run ${styled('red', lastRun.outcome)}: ${lastRun.error}`;
		}

		if (lastDrill?.error) {
			out.line`${target}: last drill ${styled('red', lastDrill.outcome)}: ${lastDrill.error}`;
		}
	}
}
