/** Slack's requests over HTTP, for those who cannot use Socket Mode. A request counts once, within five minutes, with Slack's signature over its very bytes. */
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import {setTimeout as delay} from 'node:timers/promises';
import {type App, type Receiver, verifySlackRequest} from '@slack/bolt';
import type {Listen} from '../agent/config/values.ts';
import {explain} from '../base/errors.ts';
import type {Log} from '../base/log.ts';
import {createDuplicates} from './duplicates.ts';

export interface HttpReceiverOptions {
	secret: string;
	listen: Listen;
	log: Log;
	/** Between two tries to listen. */
	retryMs: number;
	signal: AbortSignal;
}

const path = '/slack/events';
const bodyLimit = 1_000_000;
const skewSeconds = 300;

export function createHttpReceiver({secret, listen, log, retryMs, signal}: HttpReceiverOptions): Receiver {
	const signatures = createDuplicates(100_000);
	let app: App | undefined;

	const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
		const end = (status: number, body = '', type = 'text/plain') => {
			response.writeHead(status, {'Content-Type': type, 'Cache-Control': 'no-store'}).end(body);
		};
		if (request.method !== 'POST' || request.url !== path) {
			end(404);
			return;
		}

		const body = await bodyOf(request);
		if (body === undefined) {
			end(413);
			return;
		}

		const refusal = verify(request, body, secret);
		if (refusal !== undefined || !signatures.isNew(String(request.headers['x-slack-signature']))) {
			log.warning(`a request that claims to be Slack's was refused: ${refusal ?? 'it was sent before'}`);
			end(401);
			return;
		}

		const content = parse(body, request.headers['content-type'] ?? '');
		if (content.type === 'url_verification') {
			end(200, JSON.stringify({challenge: content.challenge}), 'application/json');
			return;
		}

		await app?.processEvent({
			body: content,
			async ack(given?: unknown) {
				typeof given === 'object' && given !== null ? end(200, JSON.stringify(given), 'application/json') : end(200, String(given ?? ''));
			},
		});
		if (!response.writableEnded) {
			end(200);
		}
	};

	const server = createServer((request, response) => {
		answer(request, response).catch(error => {
			log.error("a request of Slack's could not be dealt with", {error});
			response.headersSent ? response.end() : response.writeHead(500).end();
		});
	});
	void listenUntilDone(server, {listen, log, retryMs, signal});
	return {
		init(given) {
			app = given;
		},
		async start() {},
		async stop() {
			server.closeAllConnections();
			await new Promise<void>(resolve => server.close(() => resolve()));
		},
	};
}

async function listenUntilDone(
	server: Server,
	{listen, log, retryMs, signal}: Pick<HttpReceiverOptions, 'listen' | 'log' | 'retryMs' | 'signal'>,
) {
	while (!signal.aborted) {
		try {
			await new Promise<void>((resolve, reject) => {
				server.once('error', reject);
				server.listen(listen.port, listen.host, () => {
					server.off('error', reject);
					resolve();
				});
			});
			server.on('error', error => log.error('the listener for Slack failed', {error}));
			log.info(`listening for Slack's requests at port ${listen.port}, path ${path}`);
			return;
		} catch (error) {
			log.error(`Slack's requests cannot be listened for: ${explain(error)}`);
			await delay(retryMs * 10, undefined, {signal}).catch(() => {});
		}
	}
}

/** Why it is refused. */
function verify({headers}: IncomingMessage, body: string, secret: string): string | undefined {
	const timestamp = Number(headers['x-slack-request-timestamp']);
	if (!Number.isFinite(timestamp) || Math.abs(Date.now() / 1000 - timestamp) > skewSeconds) {
		return 'its time is not now';
	}

	try {
		verifySlackRequest({
			signingSecret: secret,
			body,
			headers: {'x-slack-signature': String(headers['x-slack-signature']), 'x-slack-request-timestamp': timestamp},
		});
		return undefined;
	} catch {
		return 'its signature is wrong';
	}
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
	const parts: Buffer[] = [];
	let size = 0;
	for await (const part of request as AsyncIterable<Buffer>) {
		size += part.length;
		if (size <= bodyLimit) {
			parts.push(part);
		}
	}

	// Read to its end all the same: who still sends could not be answered
	return size > bodyLimit ? undefined : Buffer.concat(parts).toString();
}

function parse(body: string, type: string): Record<string, unknown> {
	if (type.startsWith('application/json')) {
		return JSON.parse(body) as Record<string, unknown>;
	}

	const fields = Object.fromEntries(new URLSearchParams(body));
	return fields.payload === undefined ? fields : (JSON.parse(fields.payload) as Record<string, unknown>);
}
