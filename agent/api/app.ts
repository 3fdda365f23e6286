/** What is asked of the door with a token, and by a person: the page and `/api/v1`. Loaded by the first who asks. */
import type {RequestListener} from 'node:http';
import {getRequestListener} from '@hono/node-server';
import {Hono} from 'hono';
import type {Bindings, RoutesOptions} from './bindings.ts';
import {addHeaders} from './headers.ts';
import {createPage} from './page/routes.ts';
import {httpProblem} from './problems.ts';
import {createRoutes} from './routes.ts';
import type {tokenCheck} from './token.ts';

export function createApp(routes: RoutesOptions, allowed: ReturnType<typeof tokenCheck>): RequestListener {
	const app = new Hono<Bindings>();
	addHeaders(app);
	app.route('/', createPage({...routes, isToken: given => allowed(`Bearer ${given}`)}));
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
			routes.report(error);
		}

		return context.json(status === 413 ? {error: 'the body of the request must be at most 64 KiB'} : body, status);
	});
	return getRequestListener(app.fetch);
}
