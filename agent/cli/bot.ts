import type {AddCommand} from './context.ts';

export const addBot: AddCommand = (program, {startBot, end}) => {
	program
		.command('bot')
		.description('run the Slack bot alone, for the agents that the configuration names')
		.addHelpText('after', '\nExample:\n  $ HOLDFAST_AGENT_URL=http://holdfast:9797 HOLDFAST_API_TOKEN=… holdfast bot')
		.action(async () => end(await startBot()));
};
