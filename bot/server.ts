/** How a bot that runs alone says how it is. */
import {createServer} from 'node:http';
import type {Listen} from '../agent/config/values.ts';
import type {Bot} from './bot.ts';

export async function serveBot({bot, listen}: {bot: Bot; listen: Listen}): Promise<{close: () => Promise<void>}> {
	const server = createServer((request, response) => {
		const connected = bot.isConnected();
		if (request.url === '/healthz') {
			const health = {healthy: connected, problems: connected ? [] : ['Slack is not connected']};
			response.writeHead(connected ? 200 : 503, {'Content-Type': 'application/json'}).end(JSON.stringify(health));
		} else if (request.url === '/metrics') {
			const lines = ['# HELP holdfast_slack_connected 1 while the bot is connected to Slack.', '# TYPE holdfast_slack_connected gauge'];
			response
				.writeHead(200, {'Content-Type': 'text/plain; version=0.0.4; charset=utf-8'})
				.end(`${lines.join('\n')}\nholdfast_slack_connected ${connected ? 1 : 0}\n`);
		} else {
			response.writeHead(404).end();
		}
	});
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject);
		server.listen(listen.port, listen.host, () => resolve());
	});
	return {
		async close() {
			server.closeAllConnections();
			await new Promise<void>(resolve => server.close(() => resolve()));
		},
	};
}
