/**
 * The way to Slack and back. The only owner of Bolt, with `deliveries.ts` for what arrives and `http.ts` for the other mode. A connection that
 * is lost is made again, by us: Bolt's own way waits longer with each try, gives up, and leaves a rejection that nobody handles.
 */
import {setTimeout as delay} from 'node:timers/promises';
import bolt, {type Logger, type LogLevel, type Receiver} from '@slack/bolt';
import type {SlackConfig} from '../agent/config/slack.ts';
import {explain} from '../base/errors.ts';
import type {Log} from '../base/log.ts';
import type {Message} from './blocks.ts';
import {type Handlers, listen} from './deliveries.ts';
import {createHttpReceiver} from './http.ts';

/** Why Slack did not take something. */
export class SlackError extends Error {
	/** Slack's own word, `ratelimited`, or `unreachable`. */
	readonly code: string;
	readonly retryMs: number | undefined;

	constructor(method: string, code: string, {retryMs, cause}: {retryMs?: number | undefined; cause?: unknown} = {}) {
		super(`Slack did not take ${method}: ${code}`, {cause});
		this.name = 'SlackError';
		this.code = code;
		this.retryMs = retryMs;
	}
}

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
	let connected = false;

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

	const found = () => {
		if (!connected) {
			log.info('connected to Slack');
			connected = true;
			onConnected();
		}
	};

	const lose = () => {
		if (connected) {
			connected = false;
			log.warning('the connection to Slack is lost, connecting again');
		}
	};

	/** Resolves when it is lost. */
	const connectOnce = async (): Promise<void> => {
		const {team_id: teamId} = await call('auth.test', {});
		team = String(teamId);
		if (socket === undefined) {
			found();
			await delay(verifyMs, undefined, {signal: closing.signal});
			return;
		}

		const lost = new Promise<void>(resolve => socket.client.once('disconnected', () => resolve()));
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

		found();
		await lost;
		lose();
	};

	const stayConnected = async (): Promise<void> => {
		let said = '';
		while (!closing.signal.aborted) {
			let waitMs = 0;
			try {
				await connectOnce();
				said = '';
			} catch (error) {
				lose();
				waitMs = error instanceof SlackError ? (error.retryMs ?? retryMs) : retryMs;
				const reason = explain(error);
				if (reason !== said && !closing.signal.aborted) {
					log.warning(`Slack cannot be reached, trying again: ${reason}`);
					said = reason;
				}
			}

			await delay(waitMs, undefined, {signal: closing.signal}).catch(() => {});
		}
	};

	void app.init().then(stayConnected);
	return {
		team: () => team,
		isConnected: () => connected,
		call,
		async respond(responseUrl, {text, blocks}, {replace = false} = {}) {
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
		},
		async close() {
			closing.abort();
			connected = false;
			await socket?.client.disconnect();
			await http?.stop();
		},
	};
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
