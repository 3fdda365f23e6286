/** The HTTP door: `/healthz` and `/metrics` are open, `/api/v1/*` needs the token. */
import type {Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {createAdaptorServer} from '@hono/node-server';
import {Hono} from 'hono';
import type {Agent} from '../agent.ts';
import type {Metrics} from '../metrics/metrics.ts';
import type {Bindings} from './bindings.ts';
import {addHeaders} from './headers.ts';
import {createPage} from './page/routes.ts';
import {httpProblem} from './problems.ts';
import {createRoutes} from './routes.ts';
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
	const server = createAdaptorServer({fetch: createApp(options, closing.signal).fetch}) as Server;
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

function createApp(
	{agent, token, metrics, version, host, report, heartbeatMs = 15_000, stalledMs = 60_000}: ServerOptions,
	closing: AbortSignal,
) {
	const app = new Hono<Bindings>();
	const allowed = tokenCheck(token);
	const routes = {agent, version, host, closing, heartbeatMs, stalledMs, report};
	addHeaders(app);
	app.route('/', createPage({...routes, isToken: given => allowed(`Bearer ${given}`)}));
	app.get('/healthz', async context => {
		const health = await healthOf(agent, report);
		return context.json(health, health.healthy ? 200 : 503);
	});
	app.get('/metrics', async context => context.body(await metrics.text(), 200, {'Content-Type': metrics.contentType}));
	app.use('/api/v1/*', async (context, next) => {
		if (allowed(context.req.header('Authorization'))) {
			return next();
		}

		return context.json({error: 'the token is missing or wrong', hint: 'send `Authorization: Bearer <HOLDFAST_API_TOKEN>`'}, 401, {
			'WWW-Authenticate': 'Bearer',
		});
	});
	app.route('/api/v1', createRoutes(routes));
	app.notFound(context => context.json({error: 'there is nothing at this path'}, 404));
	app.onError((error, context) => {
		const {status, body, unexpected} = httpProblem(error);
		if (unexpected) {
			report(error);
		}

		return context.json(status === 413 ? {error: 'the body of the request must be at most 64 KiB'} : body, status);
	});
	return app;
}

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

async function closeWithin(server: Server, timeMs: number): Promise<void> {
	const {promise, resolve} = Promise.withResolvers<void>();
	const timer = setTimeout(() => server.closeAllConnections(), timeMs);
	server.close(() => resolve());
	await promise;
	clearTimeout(timer);
}
