import type {AddCommand, JsonOption} from './context.ts';
import {exit} from './exit.ts';

export const addMove: AddCommand = (program, {connect, out, err, end}) => {
	program
		.command('move')
		.description('a target or a project has a new name: its restore points are those of the new one from now on')
		.argument('<old>', 'the former name of the target, or of the project')
		.argument('<new>', 'the name that it has now')
		.addHelpText('after', '\nExamples:\n  $ holdfast move old/db new/db\n  $ holdfast move old new')
		.action(async (from: string, to: string, {json}: JsonOption) => {
			const taken = await (await connect()).move(from, to);
			json
				? out.json(taken)
				: err.line`${taken.points === 1 ? 'one restore point is one' : `${taken.points} restore points are those`} of ${taken.targets.join(', ')} from now on`;
			end(exit.done);
		});
};
