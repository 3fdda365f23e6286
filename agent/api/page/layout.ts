/** What every page has around it. Nothing inline, nothing from elsewhere: the content security policy forbids both. */
import {html} from 'hono/html';
import type {HtmlEscapedString} from 'hono/utils/html';

export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

export const contentSecurityPolicy = [
	"default-src 'none'",
	"style-src 'self'",
	"script-src 'self'",
	"connect-src 'self'",
	"img-src 'self'",
	"form-action 'self'",
	"base-uri 'none'",
	"frame-ancestors 'none'",
].join('; ');

export const layout = (title: string, body: Html, {script = false}: {script?: boolean} = {}): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="/page/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/page/page.css">
${script ? html`<script src="/page/page.js" defer></script>` : ''}
</head>
<body>
${body}
</body>
</html>`;

/** @param isWrong the token that was given is not the one */
export const signIn = ({isWrong = false} = {}): Html =>
	layout(
		'Sign in – Holdfast',
		html`<main class="sign-in">
<h1>Holdfast</h1>
<form method="post" action="/sign-in">
<label for="token">API token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus${isWrong ? html` aria-invalid="true" aria-describedby="wrong"` : ''}>
${isWrong ? html`<p id="wrong" class="wrong" role="alert">That is not the token.</p>` : ''}
<button type="submit">Sign in</button>
</form>
<p class="hint">It is <code>HOLDFAST_API_TOKEN</code>, or what the agent made: <code>docker compose exec holdfast cat /state/api-token</code></p>
</main>`,
	);
