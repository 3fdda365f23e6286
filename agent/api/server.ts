/**
 * The HTTP door: `/healthz` and `/metrics` are open, the page and `/api/v1/*` need the token.
 *
 * Those two are what an agent is asked all day, and they are answered here: what stands behind the rest takes megabytes, and is loaded
 * when somebody asks for it.
 */
import {createServer, type IncomingMessage, type RequestListener, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import type {Agent} from '../agent.ts';
import type {Metrics} from '../metrics/metrics.ts';
import {type Answer, closeWithin, isRead, json, pathOf, send} from './answer.ts';
import {tokenCheck} from './token.ts';
import type {Health} from './wire.ts';

export interface ServerOptions {
	agent: Agent;
	token: string;
	/** Port 0: any that is free. No host: every address. */
	listen: {host?: string | undefined; port: number};
	metrics: Metrics;
	version: string;
	/** The name under which it files snapshots. */
	host: string;
	agentId: string;
	/** Errors that nobody foresaw, for the log. */
	report: (error: unknown) => void;
	heartbeatMs?: number | undefined;
	stalledMs?: number | undefined;
}

export interface RunningServer {
	/** Where this machine reaches it. */
	url: string;
	/** Lets followers go, waits shortly for answers under way, and ends. */
	close: () => Promise<void>;
}

export async function startServer(options: ServerOptions): Promise<RunningServer> {
	const closing = new AbortController();
	const server = createServer(createListener(options, closing.signal));
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject);
		server.listen(options.listen.port, options.listen.host, () => {
			server.off('error', reject);
			resolve();
		});
	});
	// An archive may take hours to come in. Who sends nothing is let go by the routes themselves.
	server.requestTimeout = 0;
	server.on('error', options.report);
	return {
		url: localUrl(server.address() as AddressInfo),
		async close() {
			closing.abort();
			await closeWithin(server, 1000);
		},
	};
}

function createListener(
	{agent, token, metrics, version, host, agentId, report, heartbeatMs = 15_000, stalledMs = 60_000}: ServerOptions,
	closing: AbortSignal,
): RequestListener {
	const open = new Map<string, () => Promise<Answer>>([
		['/healthz', async () => healthAnswer(await healthOf(agent, report))],
		['/metrics', async () => ({status: 200, type: metrics.contentType, text: await metrics.text()})],
	]);
	const allowed = tokenCheck(token);
	let app: Promise<RequestListener> | undefined;
	const loadApp = async () => {
		const {createApp} = await import('./app.ts');
		return createApp({agent, version, host, agentId, closing, heartbeatMs, stalledMs, report}, allowed);
	};
	const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
		const answerOf = isRead(request) ? open.get(pathOf(request)) : undefined;
		if (answerOf !== undefined) {
			send(request, response, await answerOf());
			return;
		}

		app ??= loadApp();
		(await app)(request, response);
	};
	return (request, response) => {
		handle(request, response).catch((error: unknown) => {
			report(error);
			send(request, response, failedAnswer);
		});
	};
}

const healthAnswer = (health: Health): Answer => json(health.healthy ? 200 : 503, health);

const failedAnswer = json(500, {error: 'this failed; the log of the agent says why'});

/** This one is open, so what went wrong inside goes to the log only. */
async function healthOf(agent: Agent, report: (error: unknown) => void): Promise<Health> {
	try {
		const {healthy, problems} = await agent.health();
		return {healthy, problems};
	} catch (error) {
		report(error);
		return {healthy: false, problems: ['the agent cannot tell how it is; its log says why']};
	}
}

function localUrl({address, port}: AddressInfo): string {
	const host = address === '::' || address === '0.0.0.0' ? '127.0.0.1' : address;
	return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
