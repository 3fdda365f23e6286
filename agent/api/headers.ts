/** What every answer of a door says to browsers, the agent's and that of a bot which runs alone. */
import type {Hono, MiddlewareHandler} from 'hono';
import type {Bindings} from './bindings.ts';
import {commonHeaders} from './common-headers.ts';
import {contentSecurityPolicy} from './page/layout.ts';

/** For the paths that answer with HTML. */
const pagePolicy: MiddlewareHandler = async (context, next) => {
	await next();
	context.header('Content-Security-Policy', contentSecurityPolicy);
};

export function addHeaders(app: Hono<Bindings>): void {
	// Outside the next one, whose policy allows nothing at all
	app.use('/', pagePolicy);
	app.use('/sign-in', pagePolicy);
	app.use(async (context, next) => {
		await next();
		for (const [name, value] of Object.entries(commonHeaders)) {
			context.header(name, value);
		}
	});
}
