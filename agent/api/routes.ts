/** `/api/v1`: each route turns a request into one call on the agent, and its answer into JSON. */

import {type Context, Hono} from 'hono';
import {bodyLimit as limitBody} from 'hono/body-limit';
import {RestingError, UsageError} from '../../base/errors.ts';
import {type RunResult, repositoryTarget} from '../../base/results.ts';
import type {Accepted} from '../../base/shapes/runs.ts';
import type {Agent} from '../agent.ts';
import {addArchives} from './archive-routes.ts';
import {addAuditRoutes} from './audit-routes.ts';
import type {Bindings, RoutesOptions} from './bindings.ts';
import {addBrowsing} from './browse-routes.ts';
import {eventStream} from './event-stream.ts';
import {planView} from './plan-view.ts';
import {httpProblem} from './problems.ts';
import {
	acceptRequest,
	adoptRequest,
	backupRequest,
	bodyLimit,
	checkRequest,
	copyRequest,
	drillRequest,
	finishRequest,
	foreignQuery,
	json,
	keepRequest,
	labelsQuery,
	moveRequest,
	noFields,
	parse,
	planQuery,
	pointsQuery,
	pruneRequest,
	restoreRequest,
	runParameter,
	runsQuery,
	settleRequest,
} from './requests.ts';
import type {Refusal, Started} from './wire.ts';

export function createRoutes(options: RoutesOptions): Hono<Bindings> {
	const {agent, version, host, agentId, report} = options;
	const routes = new Hono<Bindings>();
	const limited = limitBody({maxSize: bodyLimit});
	// An archive has a limit of its own, and is never in memory as a whole.
	routes.use(async (context, next) => (context.req.path.endsWith('/v1/import') ? next() : limited(context, next)));
	routes.get('/version', context => context.json({version, host, agent: agentId, time: new Date().toISOString()}));
	routes.get('/targets', async context => context.json(await agent.targets()));
	routes.get('/plan', async context => {
		const {target} = parse(planQuery, context.req.query());
		if (target !== undefined) {
			return context.json(planView(await agent.plan(target)));
		}

		return context.json((await agent.plans()).map(plan => ('error' in plan ? plan : planView(plan))));
	});
	routes.get('/labels', async context => {
		const {project, from} = parse(labelsQuery, context.req.query());
		return context.json(await agent.labels(project, from));
	});
	routes.get('/status', async context => context.json(await agent.status()));
	routes.get('/foreign', async context => context.json(await agent.foreign(parse(foreignQuery, context.req.query()).from)));
	routes.get('/points', async context => {
		const {target, from} = parse(pointsQuery, context.req.query());
		return context.json(await agent.points(target, from));
	});
	routes.get('/doctor', async context => context.json(await agent.doctor()));

	routes.get('/runs', context => context.json(agent.runs(parse(runsQuery, context.req.query()))));
	routes.get('/runs/:id', context => context.json(agent.run(runOf(context))));
	routes.get('/runs/:id/events', context => follow(context, options));
	routes.post('/runs/:id/cancel', async context => {
		const run = runOf(context);
		await agent.cancel(run);
		return context.json({run}, 202);
	});

	routes.post('/backup', async context => {
		const request = parse(backupRequest, await json(context.req));
		const targets = 'all' in request ? await ownTargets(agent) : [...new Set(request.targets)];
		const runs: Array<Started | Refusal> = [];
		for (const target of targets) {
			runs.push(await started(options, target, agent.backup(target, request.trigger, {cold: request.cold})));
		}

		return context.json({runs}, 202);
	});
	routes.post('/drill', async context => {
		const request = parse(drillRequest, await json(context.req));
		if ('target' in request) {
			const accepted = await agent.drill(request);
			reportLoss(accepted, report);
			return context.json({runs: [{target: request.target, run: accepted.run}]}, 202);
		}

		const {trigger} = request;
		const runs: Array<Started | Refusal> = [];
		for (const target of await ownTargets(agent)) {
			runs.push(await started(options, target, agent.drill({target, point: 'latest', trigger})));
		}

		return context.json({runs}, 202);
	});
	routes.post('/copy', async context => {
		const request = parse(copyRequest, await json(context.req));
		const runs: Array<Started | Refusal> = [];
		for (const name of 'all' in request ? agent.copies() : new Set(request.copies)) {
			runs.push(await started(options, repositoryTarget(name), agent.copy(name, request.trigger)));
		}

		return context.json({runs}, 202);
	});
	routes.post('/restore/plan', async context => context.json(await agent.planRestore(parse(restoreRequest, await json(context.req)))));
	routes.post('/restore', async context => {
		const accepted = await agent.restore(parse(restoreRequest, await json(context.req)));
		reportLoss(accepted, report);
		return context.json({run: accepted.run}, 202);
	});
	routes.get('/prune/plan', async context => context.json(await agent.planPrune()));
	routes.post('/prune', async context => {
		const accepted = await agent.prune(parse(pruneRequest, await json(context.req)).trigger);
		reportLoss(accepted, report);
		return context.json({run: accepted.run}, 202);
	});
	routes.post('/prune/accept', async context =>
		context.json(await agent.acceptSizes(parse(acceptRequest, await json(context.req)).target)),
	);
	routes.post('/check', async context => {
		const {readData, trigger} = parse(checkRequest, await json(context.req));
		const accepted = await agent.check(readData, trigger);
		reportLoss(accepted, report);
		return context.json({run: accepted.run}, 202);
	});
	routes.post('/adopt', async context => {
		const {agent: name, force} = parse(adoptRequest, await json(context.req));
		return context.json(await agent.adopt(name, {force}));
	});
	routes.post('/move', async context => {
		const {from, to} = parse(moveRequest, await json(context.req));
		return context.json(await agent.move(from, to));
	});
	routes.post('/forget', async context => context.json(await agent.forget(parse(acceptRequest, await json(context.req)).target)));
	// What is in it goes to who asks for it with the token, and nowhere else.
	routes.get('/kit', context => context.json(agent.kit(), 200, {'Cache-Control': 'no-store'}));
	routes.get('/kit/kept', context => context.json({kept: agent.kitKept()}));
	routes.post('/kit/kept', async context => context.json(agent.keepKit(parse(keepRequest, await json(context.req)).trigger)));
	routes.post('/unlock', async context => {
		parse(noFields, await json(context.req));
		return context.json(await agent.unlock());
	});
	routes.post('/restore/undo', async context => {
		const {run, trigger} = parse(settleRequest, await json(context.req));
		const accepted = await agent.undoRestore(run, trigger);
		reportLoss(accepted, report);
		return context.json({run: accepted.run}, 202);
	});
	routes.post('/restore/finish', async context => {
		const {run, force, trigger} = parse(finishRequest, await json(context.req));
		const accepted = await agent.finishRestore(run, trigger, {force});
		reportLoss(accepted, report);
		return context.json({run: accepted.run}, 202);
	});

	addAuditRoutes(routes, agent);
	addArchives(routes, options);
	addBrowsing(routes, options);
	return routes;
}

/** What another agent of the engine serves is not in `all`. */
const ownTargets = async (agent: Pick<Agent, 'targets'>): Promise<string[]> =>
	(await agent.targets()).flatMap(({target, servedBy}) => (servedBy === undefined ? [target] : []));

async function started(
	{report}: Pick<RoutesOptions, 'report'>,
	target: string,
	asked: Promise<Accepted<RunResult>>,
): Promise<Started | Refusal> {
	try {
		const accepted = await asked;
		reportLoss(accepted, report);
		return {target, run: accepted.run};
	} catch (error) {
		const {status, body, unexpected} = httpProblem(error);
		if (unexpected) {
			report(error);
		}

		return {target, status, ...body, ...(error instanceof RestingError && {resting: true as const})};
	}
}

/** `finished` promises never to reject; should it do so all the same, the log must know and the agent must live. */
function reportLoss(accepted: Accepted<RunResult>, report: (error: unknown) => void): void {
	accepted.finished.catch(report);
}

function follow(context: Context<Bindings>, {agent, closing, heartbeatMs, stalledMs, report}: RoutesOptions): Response {
	const run = runOf(context);
	// Says 404 before the stream begins.
	agent.run(run);
	const lastId = context.req.header('Last-Event-ID');
	if (lastId !== undefined && !/^\d{1,15}$/.test(lastId)) {
		throw new UsageError('the request is not valid: Last-Event-ID must be an id that this agent sent');
	}

	// Heartbeats keep it from being idle, so only a client that takes nothing runs into this.
	const {socket} = context.env.incoming;
	socket.setTimeout(stalledMs, () => socket.destroy());
	const stream = eventStream({follow: signal => agent.follow(run, signal), lastId, closing, heartbeatMs, report});
	return context.body(stream, 200, {'Content-Type': 'text/event-stream', Connection: 'close', 'X-Accel-Buffering': 'no'});
}

const runOf = (context: Context): string => parse(runParameter, context.req.param('id'));
