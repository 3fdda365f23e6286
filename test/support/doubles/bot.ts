/** A bot between a fake Slack and agents made of memory, whose HTTP API is the real one. */

import type {ExecutionContext} from 'ava';
import {createRoster} from '../../../agent/api/fleet.ts';
import type {SlackConfig} from '../../../agent/config/slack.ts';
import {startBot} from '../../../bot/bot.ts';
import {until} from '../until.ts';
import {createFakeAgent, type FakeAgent, targetView} from './fake-agent.ts';
import {createFakeSlack, type FakeMessage, type FakeSlack, tokens} from './fake-slack.ts';
import {serveAgent} from './server.ts';

export const viewer = {user: 'U0VIEWER'};
export const operator = {user: 'U0OPERATOR'};
export const restorer = {user: 'U0RESTORER'};
export const second = {user: 'U0SECOND'};
export const stranger = {user: 'U0STRANGER', team: 'T0OTHER'};

export const agentToken = 'correct-horse-battery';

export interface BotTest {
	slack: FakeSlack;
	agent: FakeAgent;
	agents: readonly FakeAgent[];
	log: string[];
	isConnected: () => boolean;
	/** The first reply of a delivery that holds the text. */
	reply: (replies: readonly FakeMessage[], text: RegExp) => Promise<FakeMessage>;
	message: (text: RegExp) => Promise<FakeMessage>;
	restart: () => Promise<void>;
	url: string;
}

interface Options {
	hosts?: readonly string[];
	config?: Partial<SlackConfig>;
	access?: Partial<SlackConfig['access']>;
	now?: () => number;
	/** Does not wait until it is connected. */
	unconnected?: boolean;
	prepare?: (slack: FakeSlack, agents: readonly FakeAgent[]) => void;
	pace?: Parameters<typeof startBot>[0]['pace'];
}

export const allText = ({text, blocks}: Pick<FakeMessage, 'text' | 'blocks'>): string => `${text} ${JSON.stringify(blocks)}`;

export const target = 'shop/db';

export function stock(agent: FakeAgent, targets: readonly string[] = [target]): void {
	agent.has.targets = targets.map(name => targetView(name, {sources: ['postgres:app', 'volume:/data']}));
	agent.has.status = targets.map(name => ({
		target: name,
		running: null,
		lastRun: {run: 'run-0', outcome: 'success', startedAt: '2026-11-21T03:00:00.000Z', durationSeconds: 12, quiesceSeconds: 0.3},
		lastSuccess: {run: 'run-0', at: new Date().toISOString()},
		nextRun: '2026-11-22T03:00:00.000Z',
		lastDrill: null,
		lastDrillSuccess: null,
		nextDrill: null,
		problems: [],
	}));
	agent.has.points = targets.flatMap(name =>
		['20261121t030000-0000001', '20261120t030000-0000001'].map((point, day) => ({
			point,
			target: name,
			time: new Date(Date.UTC(2026, 10, 21 - day, 3)).toISOString(),
			sources: [
				{source: 'postgres:app', snapshot: 'a'.repeat(64), bytes: 900_000_000, isDatabase: true as const},
				{source: 'volume:/data', snapshot: 'b'.repeat(64), bytes: 100_000_000},
			],
			host: 'host',
			agent: 'agent-1',
			own: true,
			verifiedAt: null,
		})),
	);
}

export async function startBotTest(
	t: ExecutionContext,
	{hosts = ['agent'], config = {}, access = {}, now, unconnected = false, prepare, pace = {}}: Options = {},
): Promise<BotTest> {
	const slack = await createFakeSlack();
	t.teardown(slack.close);
	const agents = hosts.map(() => createFakeAgent());
	const servers = await Promise.all(
		agents.map(async agent => {
			stock(agent);
			return serveAgent(t, agent, {token: agentToken});
		}),
	);
	prepare?.(slack, agents);
	const log: string[] = [];
	const say =
		(level: string) =>
		(message: string, fields: object = {}) =>
			void log.push(
				`${level} ${message} ${Object.entries(fields).map(([name, value]) => `${name}=${value instanceof Error ? value.stack : value}`)}`,
			);
	const addresses = servers.map(({url}, index) => ({name: hosts[index] ?? '', url, token: agentToken}));
	const start = () =>
		startBot({
			config: {
				botToken: tokens.bot,
				appToken: tokens.app,
				signingSecret: undefined,
				listen: {host: '127.0.0.1', port: 0},
				apiUrl: slack.url(),
				channel: 'C0MAIN',
				digest: undefined,
				...config,
				access: {
					viewers: undefined,
					operators: [operator.user],
					restorers: [restorer.user, second.user],
					approvals: 1,
					targets: [],
					...access,
				},
			},
			roster: createRoster(addresses),
			log: {debug: say('debug'), info: say('info'), warning: say('warning'), error: say('error')},
			timeZone: 'UTC',
			pace: {intervalMs: 20, retryMs: 50, runsMs: 50, staleMs: 50, ...pace},
			...(now === undefined ? {} : {now}),
		});
	let bot = start();
	t.teardown(async () => {
		await bot.close();
	});
	const connected = async () => until('the bot is connected', () => bot.isConnected(), {interval: 5});
	if (!unconnected) {
		await connected();
	}

	return {
		slack,
		agent: agents[0] as FakeAgent,
		agents,
		log,
		isConnected: () => bot.isConnected(),
		url: servers[0]?.url ?? '',
		reply: async (replies, text) =>
			until(
				`a reply with ${text}, of ${JSON.stringify(replies.map(allText))} ${log.join('\n')}`,
				() => replies.find(each => text.test(allText(each))),
				{interval: 5},
			),
		message: async text => until(`a message with ${text}`, () => slack.messages.find(each => text.test(allText(each))), {interval: 5}),
		async restart() {
			await bot.close();
			bot = start();
			await connected();
		},
	};
}
