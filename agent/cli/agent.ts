import type {AddCommand} from './context.ts';

export const addAgent: AddCommand = (program, {startAgent, end}) => {
	program
		.command('agent')
		.description('run the agent itself; what `holdfast` does when it is given no command')
		.addHelpText('after', '\nExample:\n  $ holdfast agent')
		.action(async () => end(await startAgent()));
};
