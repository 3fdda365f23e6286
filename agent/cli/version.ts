import type {AddCommand, JsonOption} from './context.ts';
import {exit} from './exit.ts';

export const addVersion: AddCommand = (program, {out, version, end}) => {
	program
		.command('version')
		.description('print the version of this command line')
		.addHelpText('after', '\nExample:\n  $ holdfast version')
		.action(({json}: JsonOption) => {
			json ? out.json({version}) : out.line`${version}`;
			end(exit.done);
		});
};
