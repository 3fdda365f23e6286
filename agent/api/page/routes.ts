/** The status page at `/`: read-only, behind a session that is begun with the token. */
import {readFileSync} from 'node:fs';
import {type Context, Hono, type MiddlewareHandler} from 'hono';
import {bodyLimit} from 'hono/body-limit';
import {deleteCookie, getCookie, setCookie} from 'hono/cookie';
import type {RunView} from '../../../base/shapes/runs.ts';
import {shipped} from '../../../base/shipped.ts';
import type {Agent} from '../../agent.ts';
import type {Bindings, RoutesOptions} from '../bindings.ts';
import {eventStream} from '../event-stream.ts';
import {contentSecurityPolicy, signIn} from './layout.ts';
import {createSessions, sessionSeconds} from './sessions.ts';
import {type Shown, statusPage} from './view.ts';

const cookie = 'holdfast_session';

/** Backups of each target in its charts. */
const barsOfTarget = 30;
const shownRuns = 30;

const assets = {
	'page.css': 'text/css; charset=utf-8',
	'page.js': 'text/javascript; charset=utf-8',
	'icon.svg': 'image/svg+xml',
} as const;

export interface PageOptions extends RoutesOptions {
	isToken: (token: string) => boolean;
}

export function createPage(options: PageOptions): Hono<Bindings> {
	const {agent, version, isToken, report} = options;
	const sessions = createSessions();
	const page = new Hono<Bindings>();
	const isOpen = (context: Context) => sessions.isOpen(getCookie(context, cookie));

	for (const [name, type] of Object.entries(assets)) {
		const content = readFileSync(shipped(`agent/api/page/${name}`), 'utf8');
		page.get(`/page/${name}`, context => context.body(content, 200, {'Content-Type': type}));
	}

	page.get('/', async context => context.html(isOpen(context) ? statusPage(await look(agent, version, report)) : signIn(false)));
	page.post('/sign-in', bodyLimit({maxSize: 4096}), async context => {
		const {token} = await context.req.parseBody();
		if (typeof token !== 'string' || !isToken(token.trim())) {
			return context.html(signIn(true), 401);
		}

		setCookie(context, cookie, sessions.begin(), {
			path: '/',
			httpOnly: true,
			sameSite: 'Strict',
			secure: context.req.header('X-Forwarded-Proto') === 'https',
			maxAge: sessionSeconds,
		});
		return context.redirect('/', 303);
	});
	page.post('/sign-out', context => {
		sessions.end(getCookie(context, cookie));
		deleteCookie(context, cookie, {path: '/'});
		return context.redirect('/', 303);
	});
	page.get('/page/events', context => (isOpen(context) ? watch(context, options) : context.json({error: 'sign in first'}, 401)));
	return page;
}

/** For the paths that answer with HTML. */
export const pagePolicy: MiddlewareHandler = async (context, next) => {
	await next();
	context.header('Content-Security-Policy', contentSecurityPolicy);
};

/** An engine that is away is something to show, not an error of the page. */
async function look(agent: Agent, version: string, report: (error: unknown) => void): Promise<Shown> {
	const [overview, health] = await Promise.all([
		agent.overview().catch((error: unknown) => {
			report(error);
			return undefined;
		}),
		agent.health(),
	]);
	const targets = overview?.targets.map(({view}) => view.target) ?? [];
	return {
		version,
		now: Date.now(),
		overview,
		problems: health.problems,
		runs: agent.runs({limit: shownRuns}),
		history: new Map(targets.map(target => [target, backupsOf(agent, target)])),
	};
}

const backupsOf = (agent: Agent, target: string): RunView[] =>
	agent.runs({target, operation: 'backup', limit: barsOfTarget}).filter(({state}) => state === 'finished');

/** What all runs tell. A browser that comes back is told anew what each run under way does. */
function watch(context: Context<Bindings>, {agent, closing, heartbeatMs, stalledMs, report}: PageOptions): Response {
	const {socket} = context.env.incoming;
	socket.setTimeout(stalledMs, () => socket.destroy());
	const stream = eventStream({follow: agent.watch, lastId: undefined, closing, heartbeatMs, report});
	return context.body(stream, 200, {'Content-Type': 'text/event-stream', Connection: 'close', 'X-Accel-Buffering': 'no'});
}
