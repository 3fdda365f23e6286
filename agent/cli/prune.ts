import {UsageError} from '../../base/errors.ts';
import type {RetentionView} from '../../base/shapes/points.ts';
import {moment, size, when} from '../../base/units.ts';
import type {AddCommand, JsonOption} from './context.ts';
import {exit} from './exit.ts';
import type {Output} from './output.ts';
import {styled} from './text.ts';
import {watch} from './watch.ts';

interface PruneOptions extends JsonOption {
	dryRun?: true;
	accept?: string;
}

export const addPrune: AddCommand = (program, context) => {
	const {connect, out, err, end, now} = context;
	program
		.command('prune')
		.description('remove the restore points that no rule keeps, and the data that nothing needs')
		.option('--dry-run', 'print which points would go, and why the others stay')
		.option('--accept <target>', 'its newest point is much smaller than before, and nothing is lost: go on removing its old points')
		.addHelpText(
			'after',
			'\nExamples:\n  $ holdfast prune --dry-run\n  $ holdfast prune\n  $ holdfast prune --accept shop/db\n  $ holdfast prune --dry-run --json',
		)
		.action(async ({dryRun, accept, json}: PruneOptions) => {
			if (dryRun && accept !== undefined) {
				throw new UsageError('`--dry-run` and `--accept` cannot be together');
			}

			const client = await connect();
			if (dryRun) {
				const plan = await client.planPrune();
				json ? out.json(plan) : printPlan(out, plan, now());
				return end(exit.done);
			}

			if (accept !== undefined) {
				const accepted = await client.acceptSizes(accept);
				json
					? out.json(accepted)
					: err.line`${accepted.target}: later points are measured against ${accepted.point}; old ones go again with the next run or \`holdfast prune\``;
				return end(exit.done);
			}

			const run = await client.prune('cli');
			end(await watch(context, {client, run, target: (await client.run(run)).target, json}));
		});
};

function printPlan(out: Output, plan: readonly RetentionView[], now: number): void {
	out.table(
		[
			{title: 'TARGET', wrap: 24},
			{title: 'POINT'},
			{title: 'MOMENT', wrap: 12},
			{title: 'AGE'},
			{title: 'SIZE', align: 'right'},
			{title: 'ACTION'},
			{title: 'WHY', wrap: 24},
		],
		plan.flatMap(({target, points}) =>
			points.map(({point, time, bytes, action, why}) => [
				target,
				point,
				moment(time),
				when(time, now),
				size(bytes),
				action === 'remove' ? styled('yellow', action) : action,
				why.join(', '),
			]),
		),
	);
	for (const {target, held} of plan) {
		if (held !== null) {
			out.line`${target}: ${styled('yellow', 'nothing is removed')}: ${held}`;
		}
	}
}
