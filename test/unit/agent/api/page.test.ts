import test, {type ExecutionContext} from 'ava';
import {createSessions, sessionSeconds} from '../../../../agent/api/page/sessions.ts';
import {createFakeAgent, type FakeAgent, statusView, targetView} from '../../../support/doubles/fake-agent.ts';
import {serveAgent} from '../../../support/doubles/server.ts';

const token = 'correct-horse-battery';

async function serve(t: ExecutionContext, agent: FakeAgent = createFakeAgent()) {
	const reported: unknown[] = [];
	const server = await serveAgent(t, agent, {token, report: error => reported.push(error)});
	const signIn = async (given: string, headers: Record<string, string> = {}) =>
		fetch(`${server.url}/sign-in`, {method: 'POST', body: new URLSearchParams({token: given}), redirect: 'manual', headers});
	const cookie = (await signIn(token)).headers.get('set-cookie')?.split(';')[0] ?? '';
	const get = async (path: string, headers: Record<string, string> = {Cookie: cookie}) => fetch(server.url + path, {headers});
	return {url: server.url, agent, signIn, cookie, get, reported};
}

test('without a session there is a form and nothing else', async t => {
	const agent = createFakeAgent();
	agent.has.targets = [targetView('shop/private')];
	const {get} = await serve(t, agent);
	for (const headers of [
		{},
		{Cookie: 'holdfast_session=guess'},
		{Cookie: `holdfast_session=${token}`},
		{Authorization: `Bearer ${token}`},
	]) {
		const page = await (await get('/', headers as Record<string, string>)).text();
		t.regex(page, /<form method="post" action="\/sign-in">/);
		t.notRegex(page, /shop\/private/);
		t.is((await get('/page/events', headers as Record<string, string>)).status, 401);
	}
});

test('the token begins a session: a cookie that scripts and other sites cannot use, and that is not the token', async t => {
	const {signIn, get, cookie} = await serve(t);
	const wrong = await signIn('wrong-horse');
	t.is(wrong.status, 401);
	t.is(wrong.headers.get('set-cookie'), null);
	t.regex(await wrong.text(), /That is not the token/);
	const right = await signIn(token);
	t.is(right.status, 303);
	const given = right.headers.get('set-cookie') ?? '';
	t.regex(given, /^holdfast_session=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
	t.false(given.includes(token));
	t.regex((await signIn(token, {'X-Forwarded-Proto': 'https'})).headers.get('set-cookie') ?? '', /; Secure/);
	t.regex(await (await get('/', {Cookie: cookie})).text(), /data-page="status"/);
});

test('a session does not open the API, and ends when a person signs out', async t => {
	const {url, get, cookie} = await serve(t);
	t.is((await get('/api/v1/targets')).status, 401);
	const out = await fetch(`${url}/sign-out`, {method: 'POST', headers: {Cookie: cookie}, redirect: 'manual'});
	t.is(out.status, 303);
	t.regex(await (await get('/')).text(), /action="\/sign-in"/);
});

test('a session ends by itself', t => {
	let now = 0;
	const sessions = createSessions(() => now);
	const id = sessions.begin();
	t.true(sessions.isOpen(id));
	now = sessionSeconds * 1000;
	t.false(sessions.isOpen(id));
	t.false(sessions.isOpen(undefined));
	const first = sessions.begin();
	for (let count = 0; count < 100; count++) {
		sessions.begin();
	}

	t.false(sessions.isOpen(first));
});

test('the policy allows nothing inline and nothing from elsewhere, and the page needs neither', async t => {
	const agent = createFakeAgent();
	agent.has.targets = [targetView('shop/db')];
	const {get} = await serve(t, agent);
	const response = await get('/');
	const policy = response.headers.get('content-security-policy') ?? '';
	t.regex(policy, /^default-src 'none'; style-src 'self'; script-src 'self';/);
	t.notRegex(policy, /unsafe|\*|http/);
	const page = await response.text();
	t.notRegex(page, /<script>|<style|\sstyle=|\son\w+=|src="http|href="http/);
	for (const path of ['/page/page.css', '/page/page.js', '/page/icon.svg']) {
		const asset = await get(path, {});
		t.is(asset.status, 200);
		t.notRegex((await asset.text()).replaceAll('http://www.w3.org/2000/svg', ''), /https?:/);
	}
});

test('there is something to do where data is in no backup', async t => {
	const agent = createFakeAgent();
	agent.has.targets = [targetView('shop/db')];
	agent.has.status = [statusView('shop/db', {lastSuccess: {run: 'r1', at: new Date().toISOString()}})];
	const {get} = await serve(t, agent);
	t.regex(await (await get('/')).text(), /1 target, nothing to do/);
	const server = {title: 'MongoDB', by: 'its process `mongod`', labels: {'stream.mongo': 'x', volumes: 'false'}};
	agent.has.unprotected = [{container: 'app', storage: 'volume "data"', path: '/data', server}];
	const page = await (await get('/')).text();
	t.regex(page, /MongoDB, by its process `mongod`: <code>holdfast\.stream\.mongo<\/code>/);
	t.regex(page, /one thing needs attention/);
	t.notRegex(page, /nothing to do/);
});

test('hostile names are text', async t => {
	const agent = createFakeAgent();
	const name = '<img src=x onerror=alert(1)>"\'&';
	agent.has.targets = [targetView(name, {sources: [name], problems: [{message: name, hint: name}]})];
	agent.has.unprotected = [{container: name, storage: name, path: name, server: {title: name, by: name, labels: {[name]: name}}}];
	agent.has.health = {healthy: false, problems: [name]};
	const page = await (await (await serve(t, agent)).get('/')).text();
	t.notRegex(page, /<img/);
	t.regex(page, /&lt;img src=x/);
});

test('what is wrong stands first, with what to do', async t => {
	const agent = createFakeAgent();
	agent.has.targets = [
		targetView('shop/db'),
		targetView('shop/app'),
		targetView('shop/bad', {problems: [{message: 'unknown label', hint: 'did you mean'}]}),
	];
	agent.has.status = [
		statusView('shop/db', {lastSuccess: {run: 'r1', at: new Date().toISOString()}, suspicion: 'it is much smaller'}),
		statusView('shop/app', {
			lastRun: {
				run: 'r9',
				outcome: 'failed',
				startedAt: new Date().toISOString(),
				durationSeconds: 1,
				quiesceSeconds: 0,
				error: 'no space',
			},
		}),
	];
	agent.has.health = {healthy: false, problems: ['the repository is gone']};
	const page = await (await (await serve(t, agent)).get('/')).text();
	t.regex(page, /3 targets, 4 things need attention/);
	t.regex(
		page,
		/the repository is gone.*it is much smaller.*holdfast prune --accept shop\/db.*the last backup failed: no space.*holdfast runs r9.*unknown label.*did you mean/s,
	);
	t.regex(page, /class="card protected"/);
});

test('an engine that is away is something to show', async t => {
	const agent = createFakeAgent();
	agent.overview = async () => {
		throw new Error('no engine');
	};
	agent.has.health = {healthy: false, problems: ['the engine does not answer']};
	const {get, reported} = await serve(t, agent);
	const response = await get('/');
	t.is(response.status, 200);
	t.regex(await response.text(), /the engine does not answer/);
	t.is(reported.length, 1);
});

test('what runs tell comes as a stream', async t => {
	const agent = createFakeAgent();
	agent.has.targets = [targetView('shop/db')];
	const {get} = await serve(t, agent);
	const response = await get('/page/events');
	t.is(response.headers.get('content-type'), 'text/event-stream');
	const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
	await reader?.read();
	const next = reader?.read();
	await new Promise(resolve => setTimeout(resolve, 50));
	await agent.backup('shop/db', 'cli');
	t.regex((await next)?.value ?? '', /"type":"queued".*"target":"shop\/db"/);
	await reader?.cancel();
});

test('whence points came: the names that a target had, and the agents whose points were taken over', async t => {
	const agent = createFakeAgent();
	agent.has.targets = [targetView('shop/db'), targetView('shop/app')];
	agent.has.status = [statusView('shop/db', {formerNames: ['<old>/db']})];
	agent.has.moved = [
		{target: 'shop/gone', host: 'b', agent: 'b', at: '2026-01-02T03:04:05Z', message: '`shop/gone` has moved to host `<b>`'},
	];
	agent.has.adopted = [{from: 'former-nas', until: '2026-01-02T03:04:05Z'}];
	const page = await (await (await serve(t, agent)).get('/')).text();
	t.regex(page, /Moved from<\/dt><dd>&lt;old&gt;\/db</);
	t.is(page.match(/Moved from/g)?.length, 1);
	t.regex(page, /`shop\/gone` has moved to host `&lt;b&gt;`\./);
	t.regex(page, /Taken over: what <code>former-nas<\/code> had filed until <time/);
});
