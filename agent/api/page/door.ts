/** Who may see a page: whoever began a session with the token. With what the pages look like. */
import {readFileSync} from 'node:fs';
import type {Context, Hono} from 'hono';
import {bodyLimit} from 'hono/body-limit';
import {deleteCookie, getCookie, setCookie} from 'hono/cookie';
import {shipped} from '../../../base/shipped.ts';
import type {Bindings} from '../bindings.ts';
import {signIn} from './layout.ts';
import {createSessions, sessionSeconds} from './sessions.ts';

const cookie = 'holdfast_session';

const assets = {
	'page.css': 'text/css; charset=utf-8',
	'page.js': 'text/javascript; charset=utf-8',
	'icon.svg': 'image/svg+xml',
} as const;

/** Adds `/page/…`, `/sign-in` and `/sign-out`. @returns whether the request is of somebody who signed in */
export function addDoor(page: Hono<Bindings>, isToken: (token: string) => boolean): (context: Context) => boolean {
	const sessions = createSessions();
	for (const [name, type] of Object.entries(assets)) {
		const content = readFileSync(shipped(`agent/api/page/${name}`), 'utf8');
		page.get(`/page/${name}`, context => context.body(content, 200, {'Content-Type': type}));
	}

	page.post('/sign-in', bodyLimit({maxSize: 4096}), async context => {
		const {token} = await context.req.parseBody();
		if (typeof token !== 'string' || !isToken(token.trim())) {
			return context.html(signIn({isWrong: true}), 401);
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
	return context => sessions.isOpen(getCookie(context, cookie));
}
