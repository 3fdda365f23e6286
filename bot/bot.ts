/** The Slack bot: talks to agents over their HTTP API, and to Slack. Without Slack it waits, and nobody waits for it. */
import type {Roster} from '../agent/api/fleet.ts';
import type {SlackConfig} from '../agent/config/slack.ts';
import type {Log} from '../base/log.ts';
import {createBoard} from './board.ts';
import {obeyCommand} from './commands.ts';
import type {Desk} from './desk.ts';
import {createFleet} from './fleet.ts';
import {createGuard} from './guard.ts';
import {createOrdering} from './ordering.ts';
import {obeyPress, showHome} from './presses.ts';
import {createReferences} from './references.ts';
import {submitModal} from './restoring.ts';
import {createRunMessages} from './runs.ts';
import {connectSlack, type Slack} from './slack.ts';
import {type WatchOptions, watch} from './watch.ts';

export interface Bot {
	isConnected: () => boolean;
	close: () => Promise<void>;
}

export interface BotOptions {
	config: SlackConfig;
	/** Those of the configuration, or the agent of this container. */
	roster: Roster;
	log: Log;
	timeZone: string;
	now?: () => number;
	/** Shorter in tests. */
	pace?: {intervalMs?: number; retryMs?: number; approvalMs?: number} & Pick<WatchOptions, 'runsMs' | 'staleMs' | 'awayMs'>;
}

/** Returns at once: what it needs of Slack and of the agents is asked for until it is there. */
export function startBot({config, roster, log, timeZone, now = Date.now, pace = {}}: BotOptions): Bot {
	const closing = new AbortController();
	const fleet = createFleet(roster);
	let slack: Slack | undefined;
	const connected = (): Slack => {
		if (slack === undefined) {
			throw new Error('Slack is not there yet');
		}

		return slack;
	};
	const references = createReferences({
		secret: `${config.botToken} ${config.appToken ?? config.signingSecret ?? ''}`,
		team: () => slack?.team() ?? '',
		now,
	});
	const board = createBoard({slack: {call: async (method, args) => connected().call(method, args)}, log, ...pace});
	const runs = createRunMessages({fleet, board, references, log, signal: closing.signal});
	const guard = createGuard({rules: config.access, slack: connected, log});
	const parts = () => {
		const desk: Desk = {slack: connected(), fleet, guard, board, references, runs, rules: config.access, log, channel: config.channel, now};
		return {desk, ordering: createOrdering(desk, pace)};
	};
	let ready: ReturnType<typeof parts> | undefined;
	const here = () => {
		ready ??= parts();
		return ready;
	};

	let isFirst = true;
	slack = connectSlack({
		config,
		log,
		...(pace.retryMs === undefined ? {} : {retryMs: pace.retryMs}),
		handlers: {
			command: async (command, text, origin) => obeyCommand(here(), {command, text}, origin),
			action: async (pressed, origin) => obeyPress(here(), pressed, origin),
			submission: (submitted, origin) => submitModal(here(), submitted, origin),
			home: async origin => showHome(here().desk, origin),
		},
		onConnected() {
			if (isFirst) {
				isFirst = false;
				runs
					.resume()
					.catch((error: unknown) => closing.signal.aborted || log.warning('what an earlier life showed could not be taken up', {error}));
				watch(here().desk, {signal: closing.signal, digest: config.digest, timeZone, ...pace}).catch((error: unknown) =>
					log.error('failures are no longer watched for', {error}),
				);
			}
		},
	});
	return {
		isConnected: () => slack?.isConnected() === true,
		async close() {
			closing.abort();
			board.close();
			await slack?.close();
		},
	};
}
