import type {AddCommand, JsonOption} from './context.ts';
import {exit} from './exit.ts';

export const addForget: AddCommand = (program, {connect, out, err, end}) => {
	program
		.command('forget')
		.description('a target is gone on purpose: it is missed no more; its restore points are kept')
		.argument('<target>', 'as `holdfast status` names it')
		.addHelpText('after', '\nExample:\n  $ holdfast forget shop/db')
		.action(async (target: string, {json}: JsonOption) => {
			const forgotten = await (await connect()).forget(target);
			json ? out.json(forgotten) : err.line`${forgotten.target} is missed no more; its restore points are kept`;
			end(exit.done);
		});
};
