/** The status page at `/`: read-only, behind a session that is begun with the token. */
import {type Context, Hono} from 'hono';
import type {RunView} from '../../../base/shapes/runs.ts';
import type {Agent} from '../../agent.ts';
import type {Bindings, RoutesOptions} from '../bindings.ts';
import {eventStream} from '../event-stream.ts';
import {addDoor} from './door.ts';
import {signIn} from './layout.ts';
import {type Shown, statusPage} from './view.ts';

/** Backups of each target in its charts. */
const barsOfTarget = 30;
const shownRuns = 30;

export interface PageOptions extends RoutesOptions {
	isToken: (token: string) => boolean;
}

export function createPage(options: PageOptions): Hono<Bindings> {
	const {agent, version, isToken, report} = options;
	const page = new Hono<Bindings>();
	const isOpen = addDoor(page, isToken);
	page.get('/', async context => context.html(isOpen(context) ? statusPage(await look(agent, version, report)) : signIn()));
	page.get('/page/events', context => (isOpen(context) ? watch(context, options) : context.json({error: 'sign in first'}, 401)));
	return page;
}

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
