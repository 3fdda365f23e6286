/**
 * The way to Slack and back. The only importer of Bolt. What arrives is acknowledged first and worked on afterwards; a connection that
 * is lost is made again, by us: Bolt's own way waits longer with each try, gives up, and leaves a rejection that nobody handles.
 */
import {setTimeout as delay} from 'node:timers/promises';
import bolt, {type App, type Logger, type LogLevel, type Receiver} from '@slack/bolt';
import type {SlackConfig} from '../agent/config-slack.ts';
import {explain} from '../agent/errors.ts';
import type {Log} from '../agent/log.ts';
import type {Message, View} from './blocks.ts';
import {createDuplicates} from './duplicates.ts';
import {createHttpReceiver} from './http.ts';

/** Who did it, and where. */
export interface Origin {
	user: string;
	teams: readonly string[];
	/** For the audit log: a channel's id, `home`, `modal`. */
	place: string;
	channel: string | undefined;
	/** Opens a modal, within three seconds. */
	triggerId: string;
	/** Takes five messages within half an hour. */
	responseUrl: string | undefined;
	/** The same when Slack delivers once more. */
	delivery: string;
}

export interface Pressed {
	/** Of the button or menu: `verb.0`. */
	actionId: string;
	/** A signed reference; of a menu the value that was chosen. */
	value: string;
	/** Of the modal that it stands in. */
	view: Submitted | undefined;
	/** Of the message that it stands on. */
	message: {channel: string; ts: string} | undefined;
}

export interface Submitted {
	id: string;
	callback: string;
	/** The signed reference that it was opened with. */
	reference: string;
	/** What was chosen and typed, by block. */
	values: Readonly<Record<string, string>>;
}

/** What a submission is answered with at once, and what is done then. */
export interface Submission {
	answer: {response_action: 'errors'; errors: Record<string, string>} | {response_action: 'update'; view: View};
	work: () => Promise<void>;
}

export interface Handlers {
	command: (command: string, text: string, origin: Origin) => Promise<void>;
	action: (pressed: Pressed, origin: Origin) => Promise<void>;
	/** Waits for nothing. */
	submission: (submitted: Submitted, origin: Origin) => Submission | undefined;
	home: (origin: Origin) => Promise<void>;
}

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

	const setConnected = (now: boolean) => {
		if (now && !connected) {
			log.info('connected to Slack');
			connected = true;
			onConnected();
		} else if (!now && connected) {
			connected = false;
			log.warning('the connection to Slack is lost, connecting again');
		}
	};

	/** Resolves when it is lost. */
	const connectOnce = async (): Promise<void> => {
		const {team_id: teamId} = await call('auth.test', {});
		team = String(teamId);
		if (socket === undefined) {
			setConnected(true);
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

		setConnected(true);
		await lost;
		setConnected(false);
	};

	const stayConnected = async (): Promise<void> => {
		let said = '';
		while (!closing.signal.aborted) {
			let waitMs = 0;
			try {
				await connectOnce();
				said = '';
			} catch (error) {
				setConnected(false);
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

function listen(app: App, {command, action, submission, home}: Handlers, log: Log): void {
	const duplicates = createDuplicates();
	/** After the acknowledgement; once for each delivery. */
	const later = (origin: Origin, work: () => Promise<void>): void => {
		if (duplicates.isNew(origin.delivery)) {
			setImmediate(() => work().catch(error => log.error('what was asked for in Slack failed', {error, user: origin.user})));
		}
	};

	app.command(/.*/, async ({ack, body}) => {
		await ack();
		const origin = originOf(body, `command ${body.trigger_id}`);
		later(origin, async () => command(body.command, body.text ?? '', origin));
	});
	app.action(/.*/, async ({ack, body}) => {
		await ack();
		const raw = body as unknown as RawBody;
		const [pressed] = raw.actions ?? [];
		const origin = originOf(raw, `action ${raw.trigger_id} ${pressed?.action_ts}`);
		if (pressed?.action_id !== undefined) {
			later(origin, async () => action(pressedOf(raw, pressed), origin));
		}
	});
	app.view({callback_id: /.*/, type: 'view_submission'}, async ({ack, body}) => {
		const raw = body as unknown as RawBody;
		const origin = originOf(raw, `submission ${raw.trigger_id}`, 'modal');
		const answered = raw.view === undefined ? undefined : submission(submittedOf(raw.view), origin);
		await (answered === undefined ? ack() : ack(answered.answer as never));
		if (answered?.answer.response_action === 'update') {
			later(origin, answered.work);
		}
	});
	app.event('app_home_opened', async ({event, body}) => {
		const origin = {...originOf({...body, user_id: event.user}, `event ${body.event_id}`, 'home'), user: event.user};
		if (event.tab === 'home') {
			later(origin, async () => home(origin));
		}
	});
}

interface RawAction {
	action_id: string;
	action_ts?: string;
	value?: string;
	selected_option?: {value: string} | null;
}

interface RawView {
	id: string;
	hash?: string;
	callback_id: string;
	private_metadata?: string;
	state?: {values?: Record<string, Record<string, RawState>>};
}

interface RawState {
	value?: string | null;
	selected_option?: {value: string} | null;
	selected_options?: Array<{value: string}>;
}

/** What the kinds of deliveries have in common; each leaves some out. */
interface RawBody {
	user?: {id: string; team_id?: string};
	user_id?: string;
	team?: {id: string} | null;
	team_id?: string;
	channel?: {id: string};
	channel_id?: string;
	container?: {channel_id?: string; message_ts?: string};
	message?: {ts: string};
	trigger_id?: string;
	response_url?: string;
	actions?: RawAction[];
	view?: RawView & {type?: string};
}

function originOf(raw: RawBody, delivery: string, place?: string): Origin {
	const channel = raw.channel?.id ?? raw.channel_id ?? raw.container?.channel_id;
	return {
		user: raw.user?.id ?? raw.user_id ?? '',
		teams: [raw.team?.id, raw.team_id, raw.user?.team_id].filter(team => team !== undefined),
		place: place ?? channel ?? (raw.view?.type === 'home' ? 'home' : 'modal'),
		channel,
		triggerId: raw.trigger_id ?? '',
		responseUrl: raw.response_url,
		delivery,
	};
}

const submittedOf = ({id, callback_id: callback, private_metadata: reference = '', state}: RawView): Submitted => ({
	id,
	callback,
	reference,
	values: Object.fromEntries(
		Object.entries(state?.values ?? {}).flatMap(([block, elements]) =>
			Object.values(elements).map(({value, selected_option: option, selected_options: options}): [string, string] => [
				block,
				value ?? option?.value ?? options?.map(chosen => chosen.value).join(',') ?? '',
			]),
		),
	),
});

function pressedOf(
	{view, container, message, channel}: RawBody,
	{action_id: actionId, value, selected_option: option}: RawAction,
): Pressed {
	const ts = container?.message_ts ?? message?.ts;
	const where = container?.channel_id ?? channel?.id;
	return {
		actionId,
		value: value ?? option?.value ?? '',
		view: view === undefined || view.type === 'home' ? undefined : submittedOf(view),
		message: ts === undefined || where === undefined ? undefined : {channel: where, ts},
	};
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
