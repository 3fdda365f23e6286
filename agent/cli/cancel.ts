import type {AddCommand, JsonOption} from './context.ts';
import {exit} from './exit.ts';

export const addCancel: AddCommand = (program, {connect, out, err, end}) => {
	program
		.command('cancel')
		.description('stop a run; what it quiesced is put back')
		.argument('<run>', "a run's id")
		.addHelpText('after', '\nExample:\n  $ holdfast cancel 20261121t030000-3f9a2c1')
		.action(async (run: string, {json}: JsonOption) => {
			await (await connect()).cancel(run);
			json ? out.json({run}) : err.line`run ${run} is being stopped; \`holdfast runs ${run}\` says how it ended`;
			end(exit.done);
		});
};
