/** What every answer of a door says to browsers, the agent's and that of a bot which runs alone. */
import type {Hono, MiddlewareHandler} from 'hono';
import {secureHeaders} from 'hono/secure-headers';
import type {Bindings} from './bindings.ts';
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
	app.use(
		secureHeaders({
			// This is plain HTTP; whoever puts TLS in front sends this one.
			strictTransportSecurity: false,
			// Browsers heed these two over HTTPS only, and complain otherwise
			crossOriginOpenerPolicy: false,
			originAgentCluster: false,
			xFrameOptions: 'DENY',
			contentSecurityPolicy: {defaultSrc: ["'none'"], frameAncestors: ["'none'"]},
		}),
	);
	app.use(async (context, next) => {
		await next();
		context.header('Cache-Control', 'no-store');
	});
}
