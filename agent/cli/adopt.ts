import type {AddCommand, JsonOption} from './context.ts';
import {exit} from './exit.ts';

export const addAdopt: AddCommand = (program, {connect, out, err, end}) => {
	program
		.command('adopt')
		.description('take over the restore points of a former agent: those of a host or a state that is lost')
		.argument('<agent>', 'the id of the agent, as `holdfast points` and `holdfast doctor` name it; or the name of its host')
		.option('--force', 'it is gone for good, although it filed something within the last day')
		.addHelpText(
			'after',
			'\nExamples:\n  $ holdfast adopt 3f9a2c1b7d5e4f60\n  $ holdfast adopt 3f9a2c1b7d5e4f60 --force\n  $ holdfast adopt raspberrypi',
		)
		.action(async (agent: string, {force, json}: JsonOption & {force?: true}) => {
			const taken = await (await connect()).adopt(agent, {force: force === true});
			json
				? out.json(taken)
				: err.line`${taken.points === 1 ? 'one restore point' : `${taken.points} restore points`} of ${taken.targets.join(', ') || 'no target'} ${taken.points === 1 ? 'is' : 'are'} this agent's from now on`;
			end(exit.done);
		});
};
