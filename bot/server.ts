/** How a bot that runs alone says how it is; and, to who has the token, how every host is. */
import type {Server} from 'node:http';
import {createAdaptorServer} from '@hono/node-server';
import {Hono} from 'hono';
import type {Bindings} from '../agent/api/bindings.ts';
import {type Roster, viewOf} from '../agent/api/fleet.ts';
import {addHeaders} from '../agent/api/headers.ts';
import {addDoor} from '../agent/api/page/door.ts';
import {signIn} from '../agent/api/page/layout.ts';
import {tokenCheck} from '../agent/api/token.ts';
import type {Listen} from '../agent/config/values.ts';
import type {Bot} from './bot.ts';
import {fleetPage} from './page.ts';

interface BotServer {
	bot: Pick<Bot, 'isConnected'>;
	roster: Roster;
	listen: Listen;
	/** '': there is none, and the page is not served. */
	token: string;
}

export async function serveBot(options: BotServer): Promise<{close: () => Promise<void>}> {
	const {listen} = options;
	const server = createAdaptorServer({fetch: createApp(options).fetch}) as Server;
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

function createApp({bot, roster, token}: BotServer): Hono<Bindings> {
	const app = new Hono<Bindings>();
	addHeaders(app);
	app.get('/healthz', context => {
		const connected = bot.isConnected();
		return context.json({healthy: connected, problems: connected ? [] : ['Slack is not connected']}, connected ? 200 : 503);
	});
	app.get('/metrics', context => {
		const lines = ['# HELP holdfast_slack_connected 1 while the bot is connected to Slack.', '# TYPE holdfast_slack_connected gauge'];
		return context.body(`${lines.join('\n')}\nholdfast_slack_connected ${bot.isConnected() ? 1 : 0}\n`, 200, {
			'Content-Type': 'text/plain; version=0.0.4; charset=utf-8',
		});
	});
	if (token !== '') {
		const allowed = tokenCheck(token);
		const isOpen = addDoor(app, given => allowed(`Bearer ${given}`));
		app.get('/', async context => {
			if (!isOpen(context)) {
				return context.html(signIn());
			}

			await roster.refresh();
			return context.html(fleetPage(await Promise.all(roster.hosts().map(async host => viewOf(host))), Date.now()));
		});
	}

	return app;
}
