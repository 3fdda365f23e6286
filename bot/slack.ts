/**
 * The way to Slack and back. The only owner of Bolt, with `deliveries.ts` for what arrives and `http.ts` for the other mode. A connection that
 * is lost is made again, by us: Bolt's own way waits longer with each try, gives up, and leaves a rejection that nobody handles.
 */
import {setTimeout as delay} from 'node:timers/promises';
import bolt, {type Logger, type LogLevel, type Receiver, type SocketModeReceiver} from '@slack/bolt';
import type {SlackConfig} from '../agent/config/slack.ts';
import type {Log} from '../base/log.ts';
import type {Message} from './blocks.ts';
import {type Connected, createConnection} from './connection.ts';
import {type Handlers, listen} from './deliveries.ts';
import {createHttpReceiver} from './http.ts';
import {SlackError} from './refusal.ts';

export interface Slack {
	/** The bot's own team; undefined until Slack has said which. */
	team: () => string | undefined;
	isConnected: () => boolean;
	/** One try. @throws {SlackError} */
	call: (method: string, args: Record<string, unknown>) => Promise<Record<string, unknown>>;
	/** Only seen by who asked. @throws {SlackError} */
	respond: (responseUrl: string, message: Message, options?: {replace?: boolean}) => Promise<void>;
	close: () => Promise<void>;
}

export interface SlackOptions {
	config: SlackConfig;
	handlers: Handlers;
	log: Log;
	onConnected: () => void;
	/** Between two tries to connect. */
	retryMs?: number;
}

const callMs = 10_000;
const helloMs = 10_000;
/** In HTTP mode nobody tells that the token was revoked. */
const verifyMs = 30_000;

/** Begins to connect, and goes on until it is closed. Never throws because of Slack. */
export function connectSlack({config, handlers, log, onConnected, retryMs = 1500}: SlackOptions): Slack {
	const logger = quietLogger(log);
	const clientOptions = {
		...(config.apiUrl === undefined ? {} : {slackApiUrl: config.apiUrl}),
		retryConfig: {retries: 0},
		rejectRateLimitedCalls: true,
		timeout: callMs,
		allowAbsoluteUrls: false,
		logger,
	};
	const web = new bolt.webApi.WebClient(config.botToken, clientOptions);
	const closing = new AbortController();
	let team: string | undefined;

	const call: Slack['call'] = async (method, args) => {
		try {
			return (await web.apiCall(method, args)) as unknown as Record<string, unknown>;
		} catch (error) {
			throw slackError(method, error);
		}
	};

	const socket =
		config.appToken === undefined
			? undefined
			: new bolt.SocketModeReceiver({appToken: config.appToken, autoReconnectEnabled: false, logger, installerOptions: {clientOptions}});
	const http =
		config.appToken === undefined
			? createHttpReceiver({secret: config.signingSecret ?? '', listen: config.listen, log, retryMs, signal: closing.signal})
			: undefined;
	const app = new bolt.App({
		receiver: (socket ?? http) as Receiver,
		authorize: async () => ({botToken: config.botToken}),
		clientOptions,
		logger,
		convoStore: false,
		deferInitialization: true,
	});
	listen(app, handlers, log);
	app.error(async error => log.error('a message of Slack could not be dealt with', {error}));

	/** Asks Slack who the bot is; and in Socket Mode opens the socket. */
	const connect = async (): Promise<Connected> => {
		const {team_id: teamId} = await call('auth.test', {});
		team = String(teamId);
		if (socket === undefined) {
			return {ended: delay(verifyMs, false, {signal: closing.signal})};
		}

		const ended = new Promise<true>(resolve => socket.client.once('disconnected', () => resolve(true)));
		await open(socket);
		return {ended};
	};

	const connection = createConnection({connect, log, onConnected, retryMs, signal: closing.signal});
	void app.init().then(connection.stay);
	return {
		team: () => team,
		isConnected: connection.isConnected,
		call,
		respond,
		async close() {
			closing.abort();
			await socket?.client.disconnect();
			await http?.stop();
		},
	};
}

/** @throws {SlackError} when it says no hello in time, or cannot be opened */
async function open(socket: SocketModeReceiver): Promise<void> {
	const starting = socket.start();
	const late = new AbortController();
	try {
		await Promise.race([
			starting,
			delay(helloMs, undefined, {signal: late.signal}).then(() => Promise.reject(new Error('Slack did not say hello'))),
		]);
	} catch (error) {
		starting.catch(() => {});
		socket.client.disconnect().catch(() => {});
		throw slackError('apps.connections.open', error);
	} finally {
		late.abort();
	}
}

async function respond(...[responseUrl, {text, blocks}, {replace = false} = {}]: Parameters<Slack['respond']>): Promise<void> {
	const response = await fetch(responseUrl, {
		method: 'POST',
		redirect: 'error',
		signal: AbortSignal.timeout(callMs),
		headers: {'Content-Type': 'application/json'},
		body: JSON.stringify({
			text,
			blocks,
			...(replace ? {replace_original: true} : {response_type: 'ephemeral', replace_original: false}),
		}),
	}).catch(cause => {
		throw new SlackError('response_url', 'unreachable', {cause});
	});
	if (!response.ok) {
		throw new SlackError('response_url', `HTTP ${response.status}`, {
			retryMs: Number(response.headers.get('Retry-After')) * 1000 || undefined,
		});
	}
}

function slackError(method: string, error: unknown): SlackError {
	if (error instanceof SlackError) {
		return error;
	}

	if (error instanceof bolt.webApi.WebAPIRateLimitedError) {
		return new SlackError(method, 'ratelimited', {retryMs: error.retryAfter * 1000});
	}

	const code = error instanceof bolt.webApi.WebAPIPlatformError ? error.data.error : 'unreachable';
	return new SlackError(method, code, {cause: code === 'unreachable' ? error : undefined});
}

/** Bolt says much, some of it with what was sent: only for those who debug, and through the log, which knows the secrets. */
function quietLogger(log: Log): Logger {
	const say = (...parts: unknown[]) => log.debug(`bolt: ${parts.map(String).join(' ')}`);
	return {
		debug() {},
		info() {},
		warn: say,
		error: say,
		setLevel() {},
		getLevel: () => 'warn' as LogLevel,
		setName() {},
	};
}
