/** Looking into points over HTTP. */
import type {Hono} from 'hono';
import type {Bindings, RoutesOptions} from './bindings.ts';
import {download} from './download.ts';
import {diffQuery, dumpQuery, findQuery, listQuery, parse} from './requests.ts';

export function addBrowsing(routes: Hono<Bindings>, {agent, stalledMs}: Pick<RoutesOptions, 'agent' | 'stalledMs'>): void {
	routes.get('/ls', async context => context.json(await agent.list(parse(listQuery, context.req.query()))));
	routes.get('/find', async context => context.json(await agent.find(parse(findQuery, context.req.query()))));
	routes.get('/diff', async context => {
		const {old, new: recent, ...rest} = parse(diffQuery, context.req.query());
		return context.json(await agent.diff({...rest, points: [old, recent]}));
	});
	routes.get('/dump', async context => {
		const {isTar, ...file} = await agent.dump(parse(dumpQuery, context.req.query()));
		return download(context, {...file, type: isTar ? 'application/x-tar' : 'application/octet-stream', stalledMs});
	});
}
