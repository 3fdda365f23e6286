/** A Slack of one's own: the Web API, Socket Mode with its hellos, envelopes, acknowledgements and hang-ups, response URLs, and requests signed for HTTP mode. It refuses what the real one refuses. */
import {createHmac, randomUUID} from 'node:crypto';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo, Socket} from 'node:net';
import {type WebSocket, WebSocketServer} from 'ws';
import {until} from '../until.ts';
import {checkMessage, checkView, textsOf} from './block-kit.ts';

// biome-ignore lint/suspicious/noExplicitAny: what is sent over the wire has no other type
type Json = Record<string, any>;

const team = 'T0HOME';
export const tokens = {bot: 'xoxb-fake-bot', app: 'xapp-fake-app'};

/** Slack's own hold for 3 s; on a machine with many tests at once that is not long. */
const triggerMs = 30_000;

export interface FakeMessage {
	channel: string;
	ts: string;
	thread: string | undefined;
	text: string;
	blocks: Json[];
	/** Every version, the first included, with when it came. */
	versions: Array<{at: number; text: string}>;
	/** Only this person sees it. */
	user?: string | undefined;
}

export interface FakeView {
	id: string;
	user: string;
	view: Json;
	versions: number;
}

/** What Slack did with something that it delivered. */
export interface Delivered {
	/** Milliseconds until it was acknowledged. */
	ackMs: number;
	/** What the acknowledgement carried. */
	answer: Json | undefined;
	/** Where replies of a command arrive. */
	replies: FakeMessage[];
}

export interface Actor {
	user: string;
	team?: string;
}

export interface FakeSlack {
	/** For `HOLDFAST_SLACK_API_URL`; `host`: the name by which it is reached. */
	url: (host?: string) => string;
	readonly messages: FakeMessage[];
	readonly views: Map<string, FakeView>;
	readonly homes: Map<string, Json>;
	readonly calls: Array<{method: string; at: number; args: Json; answer: string}>;
	/** Broken limits of Block Kit. */
	readonly mistakes: string[];
	/** Members of user groups. */
	readonly groups: Map<string, string[]>;
	connections: () => number;
	/** Says what is wrong with it: `revoked`, `down`; '' when well. */
	fault: '' | 'revoked' | 'down';
	/** The next so many calls that write are told to come back in a second. */
	limited: number;
	command: (actor: Actor, command: string, text?: string) => Promise<Delivered>;
	/** Presses the button of a message, a home tab or a reply, by what stands on it. */
	press: (actor: Actor, on: FakeMessage | FakeView | {home: string}, text: string) => Promise<Delivered>;
	/** Presses with any value. */
	pressRaw: (actor: Actor, on: FakeMessage, action: Json) => Promise<Delivered>;
	pick: (actor: Actor, on: FakeView, value: string) => Promise<Delivered>;
	submit: (actor: Actor, on: FakeView, values: Readonly<Record<string, string>>) => Promise<Delivered>;
	openHome: (actor: Actor) => Promise<Delivered>;
	/** Delivers the last envelope again, as it was. */
	again: () => Promise<Delivered>;
	/** Asks the bot to connect anew, as Slack does when it is maintained. */
	hangUp: () => void;
	/** Ends every connection without a word. */
	drop: () => void;
	/** Deliveries go over HTTP to this address from now on, signed with the secret. */
	overHttp: (address: string, secret: string) => void;
	close: () => Promise<void>;
}

interface Delivery {
	type: 'slash_commands' | 'interactive' | 'events_api';
	payload: Json;
	replies: FakeMessage[];
}

export async function createFakeSlack({
	host = '127.0.0.1',
	channels = ['C0MAIN', 'C0OTHER'],
}: {
	host?: string;
	channels?: readonly string[];
} = {}): Promise<FakeSlack> {
	const messages: FakeMessage[] = [];
	const views = new Map<string, FakeView>();
	const homes = new Map<string, Json>();
	const triggers = new Map<string, {user: string; at: number}>();
	const replyBoxes = new Map<string, {replies: FakeMessage[]; left: number}>();
	const waiting = new Map<string, (answer: Json | undefined) => void>();
	const sockets = new Set<Socket>();
	const live = new Set<WebSocket>();
	let http: {address: string; secret: string} | undefined;
	let last: Delivery | undefined;
	let clock = 0;
	const nextTs = () => `${Math.floor(Date.now() / 1000)}.${String(++clock).padStart(6, '0')}`;

	const methods: Record<string, (args: Json, request: IncomingMessage) => Json> = {
		'auth.test': () => ({team_id: team, user_id: 'U0BOT', bot_id: 'B0BOT'}),
		'apps.connections.open': (_, request) => ({url: `ws://${request.headers.host}/link/${randomUUID()}`}),
		'chat.postMessage'(args) {
			const known = channels.includes(args.channel) || /^[UD]/.test(args.channel);
			if (!known) {
				return {ok: false, error: 'channel_not_found'};
			}

			const ts = nextTs();
			messages.push({
				channel: args.channel,
				ts,
				thread: args.thread_ts,
				text: args.text,
				blocks: args.blocks,
				versions: [{at: performance.now(), text: textOf(args)}],
			});
			return {ts, channel: args.channel};
		},
		'chat.update'(args) {
			const found = messages.find(({ts, channel}) => ts === args.ts && channel === args.channel);
			if (found === undefined) {
				return {ok: false, error: 'message_not_found'};
			}

			Object.assign(found, {text: args.text, blocks: args.blocks});
			found.versions.push({at: performance.now(), text: textOf(args)});
			return {ts: args.ts, channel: args.channel};
		},
		'chat.postEphemeral'(args) {
			const ts = nextTs();
			messages.push({
				channel: args.channel,
				ts,
				thread: undefined,
				text: args.text,
				blocks: args.blocks,
				user: args.user,
				versions: [{at: performance.now(), text: textOf(args)}],
			});
			return {message_ts: ts};
		},
		'views.open'(args) {
			const trigger = triggers.get(args.trigger_id);
			triggers.delete(args.trigger_id);
			if (trigger === undefined || performance.now() - trigger.at > triggerMs) {
				return {ok: false, error: trigger === undefined ? 'exchanged_trigger_id' : 'expired_trigger_id'};
			}

			const id = `V${randomUUID().slice(0, 8)}`;
			views.set(id, {id, user: trigger.user, view: args.view, versions: 1});
			return {view: {id, ...args.view}};
		},
		'views.update'(args) {
			const found = views.get(args.view_id);
			if (found === undefined) {
				return {ok: false, error: 'not_found'};
			}

			found.view = args.view;
			found.versions++;
			return {view: {id: found.id, ...args.view}};
		},
		'views.publish'(args) {
			homes.set(args.user_id, args.view);
			return {view: args.view};
		},
		'usergroups.users.list': args =>
			fake.groups.has(args.usergroup) ? {users: fake.groups.get(args.usergroup)} : {ok: false, error: 'no_such_subteam'},
	};

	const answerCall = async (request: IncomingMessage, response: ServerResponse, method: string): Promise<void> => {
		const args = decode(await bodyOf(request), request.headers['content-type'] ?? '');
		const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? args.token;
		const end = (status: number, body: Json, headers: Record<string, string> = {}) => {
			fake.calls.push({method, at: performance.now(), args, answer: body.error ?? 'ok'});
			response.writeHead(status, {'Content-Type': 'application/json', ...headers}).end(JSON.stringify(body));
		};
		if (fake.fault === 'revoked' || token !== (method === 'apps.connections.open' ? tokens.app : tokens.bot)) {
			return end(200, {ok: false, error: fake.fault === 'revoked' ? 'token_revoked' : 'invalid_auth'});
		}

		if (fake.limited > 0 && /^(?:chat|views)\./.test(method)) {
			fake.limited--;
			return end(429, {ok: false, error: 'ratelimited'}, {'Retry-After': '1'});
		}

		const broken = [
			...(method.startsWith('chat.') ? checkMessage(args) : []),
			...(method.startsWith('views.') ? checkView(args.view ?? {}) : []),
		];
		if (broken.length > 0) {
			fake.mistakes.push(...broken.map(mistake => `${method}: ${mistake}`));
			return end(200, {ok: false, error: 'invalid_blocks', response_metadata: {messages: broken}});
		}

		const known = methods[method];
		end(200, known === undefined ? {ok: false, error: 'unknown_method'} : {ok: true, ...known(args, request)});
	};

	const answerReply = async (request: IncomingMessage, response: ServerResponse, id: string): Promise<void> => {
		const box = replyBoxes.get(id);
		const args = decode(await bodyOf(request), 'application/json');
		if (box === undefined || box.left === 0) {
			response.writeHead(404).end('expired_url');
			return;
		}

		box.left--;
		fake.mistakes.push(...checkMessage(args).map(mistake => `response_url: ${mistake}`));
		box.replies.push({
			channel: 'reply',
			ts: nextTs(),
			thread: undefined,
			text: args.text,
			blocks: args.blocks,
			versions: [{at: performance.now(), text: textOf(args)}],
		});
		response.writeHead(200).end('ok');
	};

	const server = createServer((request, response) => {
		const [, root, name = ''] = /^\/(api|reply)\/(.*)$/.exec(request.url ?? '') ?? [];
		if (root === undefined) {
			response.writeHead(404).end();
		} else {
			(root === 'api' ? answerCall(request, response, name) : answerReply(request, response, name)).catch(error => {
				fake.mistakes.push(String(error));
				response.destroy();
			});
		}
	});
	server.on('connection', socket => {
		if (fake.fault === 'down') {
			socket.destroy();
			return;
		}

		sockets.add(socket);
		socket.on('error', () => {});
		socket.on('close', () => sockets.delete(socket));
	});
	const links = new WebSocketServer({server});
	links.on('connection', link => {
		live.add(link);
		link.on('close', () => live.delete(link));
		link.on('error', () => {});
		link.on('message', data => {
			const {envelope_id: id, payload} = JSON.parse(String(data)) as {envelope_id: string; payload?: Json};
			waiting.get(id)?.(payload);
		});
		link.send(JSON.stringify({type: 'hello', num_connections: 1, connection_info: {app_id: 'A0'}, debug_info: {}}));
	});

	const overSocket = async (delivery: Delivery, id: string): Promise<Json | undefined> => {
		const link = await until('the bot is connected', () => [...live].at(-1), {timeout: 10_000, interval: 5});
		const {promise, resolve} = Promise.withResolvers<Json | undefined>();
		waiting.set(id, resolve);
		link.send(
			JSON.stringify({
				envelope_id: id,
				type: delivery.type,
				payload: delivery.payload,
				accepts_response_payload: delivery.type !== 'events_api',
			}),
		);
		return promise;
	};

	const deliver = async (delivery: Delivery, id: string = randomUUID()): Promise<Delivered> => {
		last = delivery;
		const began = performance.now();
		const answer = http === undefined ? await overSocket(delivery, id) : await signedRequest(delivery, http);
		return {ackMs: performance.now() - began, answer, replies: delivery.replies};
	};

	/** What every interaction has. */
	const interaction = ({user, team: home = team}: Actor, url: string): {base: Json; replies: FakeMessage[]} => {
		const trigger = randomUUID();
		triggers.set(trigger, {user, at: performance.now()});
		const replies: FakeMessage[] = [];
		const box = randomUUID();
		replyBoxes.set(box, {replies, left: 5});
		return {
			base: {
				team: {id: home},
				user: {id: user, team_id: home},
				trigger_id: trigger,
				api_app_id: 'A0',
				response_url: `${url.replace('/api/', '/reply/')}${box}`,
			},
			replies,
		};
	};

	const seenFrom = () => {
		const {port} = server.address() as AddressInfo;
		return `http://${publicHost}:${port}/api/`;
	};
	let publicHost = '127.0.0.1';

	const act = async (actor: Actor, where: Json, action: Json): Promise<Delivered> => {
		const {base, replies} = interaction(actor, seenFrom());
		const inView = where.view !== undefined;
		const {response_url: _, ...withoutReply} = base;
		return deliver({
			type: 'interactive',
			payload: {
				type: 'block_actions',
				...(inView ? withoutReply : base),
				...where,
				actions: [{type: 'button', action_ts: nextTs(), block_id: 'b', ...action}],
			},
			replies,
		});
	};

	const placeOf = (on: FakeMessage | FakeView | {home: string}): Json => {
		if ('home' in on) {
			return {view: {id: `H${on.home}`, type: 'home', callback_id: '', ...homes.get(on.home)}, container: {type: 'view'}};
		}

		return 'view' in on
			? {view: {id: on.id, hash: String(on.versions), ...on.view, state: {values: {}}}, container: {type: 'view'}}
			: {
					channel: {id: on.channel === 'reply' ? 'C0MAIN' : on.channel},
					message: {ts: on.ts},
					container: {
						type: 'message',
						...(on.channel === 'reply' ? {is_ephemeral: true} : {message_ts: on.ts}),
						channel_id: on.channel === 'reply' ? 'C0MAIN' : on.channel,
					},
				};
	};

	const fake: FakeSlack = {
		url(name) {
			publicHost = name ?? '127.0.0.1';
			return seenFrom();
		},
		messages,
		views,
		homes,
		calls: [],
		mistakes: [],
		groups: new Map(),
		connections: () => live.size,
		fault: '',
		limited: 0,
		async command(actor, command, text = '') {
			const {base, replies} = interaction(actor, seenFrom());
			const {user, team: home, ...rest} = base as Json;
			return deliver({
				type: 'slash_commands',
				payload: {
					command,
					text,
					team_id: home.id,
					user_id: user.id,
					user_name: 'name',
					channel_id: 'C0MAIN',
					channel_name: 'main',
					...rest,
				},
				replies,
			});
		},
		press(actor, on, text) {
			const blocks: Json[] = 'home' in on ? homes.get(on.home)?.blocks : 'view' in on ? on.view.blocks : on.blocks;
			const button = blocks.flatMap(block => block.elements ?? []).find(element => element.text?.text === text);
			if (button === undefined) {
				throw new Error(`there is no button ${text} in ${JSON.stringify(blocks)}`);
			}

			return act(actor, placeOf(on), {action_id: button.action_id, value: button.value});
		},
		pressRaw: async (actor, on, action) => act(actor, placeOf(on), action),
		pick(actor, on, value) {
			const menu = (on.view.blocks as Json[]).flatMap(block => block.elements ?? []).find(element => element.type === 'static_select');
			return act(actor, placeOf(on), {type: 'static_select', action_id: menu?.action_id, selected_option: {value}});
		},
		async submit(actor, on, values) {
			const {base, replies} = interaction(actor, seenFrom());
			const {response_url: _, ...rest} = base;
			const state = Object.fromEntries(
				(on.view.blocks as Json[])
					.filter(({type}) => type === 'input')
					.map(({block_id: block, element}) => [block, {[element.action_id]: stateOf(element, values[block])}]),
			);
			const delivered = await deliver({
				type: 'interactive',
				payload: {
					type: 'view_submission',
					...rest,
					view: {...on.view, id: on.id, hash: String(on.versions), state: {values: state}},
					response_urls: [],
				},
				replies,
			});
			if (delivered.answer?.response_action === 'update') {
				const broken = checkView(delivered.answer.view);
				fake.mistakes.push(...broken.map(mistake => `response_action: ${mistake}`));
				on.view = delivered.answer.view;
				on.versions++;
			}

			return delivered;
		},
		async openHome({user, team: home = team}) {
			return deliver({
				type: 'events_api',
				payload: {
					type: 'event_callback',
					team_id: home,
					event_id: `Ev${randomUUID()}`,
					event: {type: 'app_home_opened', user, tab: 'home', event_ts: nextTs(), channel: 'D1'},
					authorizations: [],
				},
				replies: [],
			});
		},
		async again() {
			return deliver(last as Delivery);
		},
		hangUp() {
			for (const link of live) {
				link.send(JSON.stringify({type: 'disconnect', reason: 'refresh_requested', debug_info: {}}));
			}
		},
		drop() {
			for (const socket of sockets) {
				socket.destroy();
			}
		},
		overHttp(address, secret) {
			http = {address, secret};
		},
		async close() {
			fake.drop();
			links.close();
			await new Promise<void>(resolve => server.close(() => resolve()));
		},
	};
	await new Promise<void>(resolve => server.listen(0, host, resolve));
	return fake;
}

const textOf = (args: Json): string => [args.text, ...textsOf(args.blocks)].join('\n');

/** As a person left it: what was chosen, or what was chosen to begin with. */
function stateOf(element: Json, value: string | undefined): Json {
	if (element.type === 'static_select') {
		return {type: element.type, selected_option: value === undefined ? (element.initial_option ?? null) : {value}};
	}

	return element.type === 'checkboxes'
		? {type: element.type, selected_options: value === undefined ? [] : [{value}]}
		: {type: element.type, value: value ?? null};
}

/** What a form carries, its JSON read. */
function decode(body: string, type: string): Json {
	if (type.startsWith('application/json')) {
		return JSON.parse(body) as Json;
	}

	return Object.fromEntries(
		[...new URLSearchParams(body)].map(([name, value]) => [name, name === 'blocks' || name === 'view' ? JSON.parse(value) : value]),
	);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
	const parts: Buffer[] = [];
	for await (const part of request as AsyncIterable<Buffer>) {
		parts.push(part);
	}

	return Buffer.concat(parts).toString();
}

/** As Slack signs: over the version, the time and the body's very bytes. */
export function signed(body: string, secret: string, seconds = Math.floor(Date.now() / 1000)): Record<string, string> {
	return {
		'X-Slack-Request-Timestamp': String(seconds),
		'X-Slack-Signature': `v0=${createHmac('sha256', secret).update(`v0:${seconds}:${body}`).digest('hex')}`,
	};
}

export function bodyFor({type, payload}: Pick<Delivery, 'type' | 'payload'>): {body: string; contentType: string} {
	if (type === 'events_api') {
		return {body: JSON.stringify(payload), contentType: 'application/json'};
	}

	const fields = type === 'slash_commands' ? payload : {payload: JSON.stringify(payload)};
	return {body: new URLSearchParams(fields as Record<string, string>).toString(), contentType: 'application/x-www-form-urlencoded'};
}

async function signedRequest(delivery: Delivery, {address, secret}: {address: string; secret: string}): Promise<Json | undefined> {
	const {body, contentType} = bodyFor(delivery);
	const response = await fetch(address, {method: 'POST', body, headers: {'Content-Type': contentType, ...signed(body, secret)}});
	const text = await response.text();
	return response.ok && text.startsWith('{') ? (JSON.parse(text) as Json) : response.ok ? undefined : {status: response.status};
}
