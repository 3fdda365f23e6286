import {duration} from '../../base/units.ts';
import type {PlanView} from '../api/wire.ts';
import type {AddCommand, JsonOption} from './context.ts';
import {exit} from './exit.ts';
import type {Output} from './output.ts';
import {howToLabel} from './problems.ts';
import {styled} from './text.ts';

export const addPlan: AddCommand = (program, {connect, out, err, end}) => {
	program
		.command('plan')
		.description('say what a backup would do, without doing it')
		.argument('[target]', 'as `holdfast targets` names it; all of them without')
		.addHelpText('after', '\nExamples:\n  $ holdfast plan\n  $ holdfast plan shop/db --json')
		.action(async (target: string | undefined, {json}: JsonOption) => {
			const client = await connect();
			if (target !== undefined) {
				const plan = await client.plan(target);
				json ? out.json(plan) : printPlan(out, plan);
				return end(exit.done);
			}

			const plans = await client.plans();
			if (json) {
				out.json(plans);
			} else if (plans.length === 0) {
				err.line`${howToLabel()}`;
			} else {
				for (const plan of plans) {
					'error' in plan ? err.line`${plan.target}: ${styled('red', 'no plan')}: ${plan.error}` : printPlan(out, plan);
				}
			}

			end(plans.some(plan => 'error' in plan) ? exit.failed : exit.done);
		});
};

function printPlan(output: Output, plan: PlanView): void {
	output.line`${styled('bold', plan.target)}  schedule ${plan.schedule} (${plan.scheduleFrom})${plan.scheduleCold === undefined ? '' : `, cold ${plan.scheduleCold}`}`;
	for (const {source, container, server, exclude = []} of plan.sources) {
		output.line`  back up  ${source} of ${container}${server === undefined ? '' : ` at ${server}`}${exclude.length > 0 ? ` without ${exclude.join(', ')}` : ''}`;
	}

	for (const {container, when, argv} of plan.hooks) {
		output.line`  run ${when} in ${container}: ${argv.join(' ')}`;
	}

	for (const {container, action, reason} of plan.quiesce) {
		output.line`  ${action}    ${container} (${reason})`;
	}

	output.line`  ${plan.quiesce.length > 0 ? `outage   at most ${duration(plan.quiesceTimeoutSeconds)}` : 'outage   none'}`;
	for (const note of plan.notes) {
		output.line`  ${styled('yellow', 'note')}     ${note}`;
	}
}
