/** `holdfast bot`: without an agent in its container. */

import test from 'ava';
import {execa} from 'execa';
import {agentToken, operator, stock, target} from '../../support/doubles/bot.ts';
import {createFakeAgent} from '../../support/doubles/fake-agent.ts';
import {createFakeSlack, tokens} from '../../support/doubles/fake-slack.ts';
import {serveAgent} from '../../support/doubles/server.ts';
import {freePort} from '../../support/free-port.ts';
import {until} from '../../support/until.ts';

const main = new URL('../../../agent/main.ts', import.meta.url).pathname;

const bot = (env: Record<string, string>) =>
	execa(process.execPath, ['--disable-warning=ExperimentalWarning', main, 'bot'], {
		env: {PATH: process.env.PATH ?? '', ...env},
		extendEnv: false,
		reject: false,
		all: true,
	});

test('the bot alone serves its one agent, says how it is, and ends when it is told to', async t => {
	const [slack, agent] = [await createFakeSlack(), createFakeAgent()];
	t.teardown(slack.close);
	stock(agent);
	const server = await serveAgent(t, agent, {token: agentToken});
	const port = await freePort();
	const running = bot({
		SLACK_BOT_TOKEN: tokens.bot,
		SLACK_APP_TOKEN: tokens.app,
		HOLDFAST_SLACK_API_URL: slack.url(),
		HOLDFAST_SLACK_OPERATORS: operator.user,
		HOLDFAST_AGENT_URL: server.url,
		HOLDFAST_API_TOKEN: agentToken,
		HOLDFAST_LISTEN: `127.0.0.1:${port}`,
	});
	t.teardown(() => running.kill('SIGKILL'));
	const ended = running.then(({all}): never => {
		throw new Error(`it has ended: ${all}`);
	});
	await Promise.race([ended, until('it is well', async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).status === 200)]);
	ended.catch(() => {});
	t.regex(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text(), /^holdfast_slack_connected 1$/m);
	const at = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${port}${path}`, {redirect: 'manual', ...init});
	t.notRegex(await (await at('/')).text(), /shop/, 'nobody sees anything without the token');
	const signIn = (token: string) => at('/sign-in', {method: 'POST', body: new URLSearchParams({token})});
	t.is((await signIn('another-token')).status, 401);
	const Cookie = (await signIn(agentToken)).headers.get('set-cookie')?.split(';')[0] ?? '';
	t.regex(await (await at('/', {headers: {Cookie}})).text(), /1 hosts, 0 of them without an answer.*shop\/db/s);
	await slack.command(operator, '/backup', `now ${target}`);
	await until('the backup', () => agent.calls.length === 1);
	slack.fault = 'down';
	slack.drop();
	await until('it says so', async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).status === 503);
	running.kill('SIGTERM');
	const {exitCode, all} = await running;
	t.is(exitCode, 0, all);
	t.notRegex(all ?? '', /xoxb-|xapp-|correct-horse/);
});

test('the bot alone says what it misses', async t => {
	const {exitCode, all} = await bot({SLACK_BOT_TOKEN: tokens.bot, SLACK_APP_TOKEN: tokens.app});
	t.is(exitCode, 2, 'a wrong configuration is wrong usage');
	t.regex(all ?? '', /HOLDFAST_AGENT_URL/);
});
