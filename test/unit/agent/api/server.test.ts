import {request} from 'node:http';
import {connect} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {createClient} from '../../../../agent/api/client.ts';
import {type ServerOptions, startServer} from '../../../../agent/api/server.ts';
import type {Plan} from '../../../../agent/plan/planned.ts';
import type {PlannedSource} from '../../../../agent/sources/source.ts';
import {BusyError, CancelledError, RepositoryError, RunError, UsageError} from '../../../../base/errors.ts';
import {createFakeAgent, type FakeAgent, statusView, targetView} from '../../../support/doubles/fake-agent.ts';
import {until} from '../../../support/until.ts';

const token = 'correct-horse';

async function serve(t: ExecutionContext, agent: FakeAgent, options: Partial<ServerOptions> = {}) {
	const reported: unknown[] = [];
	const server = await startServer({
		agent,
		token,
		listen: {host: '127.0.0.1', port: 0},
		metrics: {refresh: async () => {}, text: async () => 'holdfast_up 1\n', contentType: 'text/plain; version=0.0.4'},
		host: 'nas',
		agentId: 'agent-1',
		version: '1.2.3',
		report: error => reported.push(error),
		...options,
	});
	t.teardown(server.close);
	const api = (path: string, init: RequestInit = {}) =>
		fetch(`${server.url}/api/v1/${path}`, {...init, headers: {Authorization: `Bearer ${token}`, ...init.headers}});
	const post = (path: string, body: unknown) => api(path, {method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body)});
	return {...server, api, post, reported, client: createClient({url: server.url, token})};
}

test('health and metrics are open, and say what is wrong', async t => {
	const agent = createFakeAgent();
	const {url} = await serve(t, agent);
	const well = await fetch(`${url}/healthz`);
	t.deepEqual([well.status, await well.json()], [200, {healthy: true, problems: []}]);

	agent.has.health = {healthy: false, problems: ['the engine does not answer']};
	const ill = await fetch(`${url}/healthz`);
	t.deepEqual([ill.status, await ill.json()], [503, agent.has.health]);

	const metrics = await fetch(`${url}/metrics`);
	t.is(await metrics.text(), 'holdfast_up 1\n');
	t.is(metrics.headers.get('content-type'), 'text/plain; version=0.0.4');
});

test('health and metrics are answered to HEAD, with the headers of every other answer', async t => {
	const {url, api} = await serve(t, createFakeAgent());
	const usual = [...(await api('targets')).headers].filter(([name]) => /^(?:x-|cache|content-security|cross|referrer)/.test(name));
	t.true(usual.length > 8);
	for (const path of ['healthz', 'healthz?x=1', 'metrics']) {
		for (const method of ['GET', 'HEAD']) {
			const {status, headers} = await fetch(`${url}/${path}`, {method});
			t.is(status, 200);
			t.deepEqual(
				usual.filter(([name, value]) => headers.get(name) !== value),
				[],
			);
		}
	}

	t.is((await fetch(`${url}/healthz`, {method: 'POST'})).status, 404);
});

test('a health check that fails keeps its reasons in the log', async t => {
	const agent = createFakeAgent();
	agent.health = async () => {
		throw new Error('s3:secret@bucket');
	};
	const {url, reported} = await serve(t, agent);
	const response = await fetch(`${url}/healthz`);
	t.is(response.status, 503);
	t.notRegex(await response.text(), /secret/);
	t.is(reported.length, 1);
});

test('nothing below /api/v1 is seen without the token', async t => {
	const {url} = await serve(t, createFakeAgent());
	for (const authorization of [undefined, '', 'Bearer', 'Bearer wrong', `Basic ${token}`, `Bearer ${token}x`, `Bearer ${token} ${token}`]) {
		for (const path of ['targets', 'no-such-path', 'runs/x/events']) {
			const response = await fetch(`${url}/api/v1/${path}`, authorization === undefined ? {} : {headers: {Authorization: authorization}});
			t.is(response.status, 401, `${authorization} ${path}`);
			t.regex(((await response.json()) as {error: string}).error, /token/);
		}
	}
});

test('an empty token is refused at the start', async t => {
	await t.throwsAsync(serve(t, createFakeAgent(), {token: ''}), {message: /must not be empty/});
});

test('answers carry security headers, and no CORS ones', async t => {
	const {api} = await serve(t, createFakeAgent());
	const {headers} = await api('targets', {headers: {Origin: 'https://evil.example'}});
	t.is(headers.get('x-content-type-options'), 'nosniff');
	t.is(headers.get('x-frame-options'), 'DENY');
	t.is(headers.get('content-security-policy'), "default-src 'none'; frame-ancestors 'none'");
	t.is(headers.get('cache-control'), 'no-store');
	t.is(headers.get('access-control-allow-origin'), null);
});

test('the views come as the agent gives them', async t => {
	const agent = createFakeAgent();
	agent.has.targets = [targetView('shop/db')];
	agent.has.status = [statusView('shop/db')];
	agent.has.points = [
		{
			point: 'p1',
			target: 'shop/db',
			time: '2026-11-03T03:00:00.000Z',
			sources: [],
			host: 'host',
			agent: 'agent-1',
			own: true,
			verifiedAt: null,
		},
		{
			point: 'p2',
			target: 'shop/app',
			time: '2026-11-03T03:00:00.000Z',
			sources: [],
			host: 'host',
			agent: 'agent-1',
			own: true,
			verifiedAt: null,
		},
	];
	agent.has.findings = [{level: 'ok', subject: 'engine', message: 'answers'}];
	const {client} = await serve(t, agent);
	t.is(await client.version(), '1.2.3');
	t.deepEqual(await client.targets(), agent.has.targets);
	t.deepEqual(await client.status(), agent.has.status);
	t.deepEqual((await client.points()).length, 2);
	t.deepEqual(await client.points('shop/app'), agent.has.points.slice(1));
	t.deepEqual(await client.doctor(), agent.has.findings);
	t.deepEqual(await client.health(), {healthy: true, problems: []});
});

test('a plan shows names and no labels, ids or host paths', async t => {
	const agent = createFakeAgent();
	agent.has.targets = [targetView('shop/d b&c')];
	const container = {
		id: 'deadbeef',
		name: 'shop-db-1',
		image: 'postgres:17',
		imageId: 'sha256:1',
		state: 'running' as const,
		createdAt: 0,
		dependsOn: [],
		labels: {'traefik.auth': 'hunter2'},
		mounts: [],
	};
	const mount = {type: 'bind' as const, hostPath: '/srv/private', path: '/data', readWrite: true};
	const plan: Plan = {
		target: 'shop/d b&c',
		sources: [
			{name: 'postgres:metadb', container, kind: 'postgres', database: 'metadb'} as PlannedSource,
			{name: 'volume:/data', container, kind: 'volume', mount, exclude: ['cache']} as PlannedSource,
			{name: 'sqlite:/data/a.db', container, kind: 'sqlite', path: '/data/a.db', mount} as PlannedSource,
		],
		quiesce: [{container, action: 'pause', reason: 'the target'}],
		resting: [],
		hooks: [{container, hook: {argv: ['sync'], timeoutMs: 30_000, onError: 'fail'}, when: 'before'}],
		absent: [],
		snapshots: [],
		quiesceTimeoutMs: 300_000,
		schedule: '0 3 * * *',
		scheduleFrom: 'label',
		notes: [],
	};
	agent.has.plans.set(plan.target, plan);
	const {client} = await serve(t, agent);
	t.deepEqual(await client.plan(plan.target), {
		target: 'shop/d b&c',
		sources: [
			{source: 'postgres:metadb', container: 'shop-db-1', database: 'metadb'},
			{source: 'volume:/data', container: 'shop-db-1', path: '/data', exclude: ['cache']},
			{source: 'sqlite:/data/a.db', container: 'shop-db-1', path: '/data/a.db'},
		],
		quiesce: [{container: 'shop-db-1', action: 'pause', reason: 'the target'}],
		hooks: [{container: 'shop-db-1', when: 'before', argv: ['sync'], timeoutSeconds: 30, onError: 'fail'}],
		quiesceTimeoutSeconds: 300,
		schedule: '0 3 * * *',
		scheduleFrom: 'label',
		notes: [],
	});
	await t.throwsAsync(client.plan('nobody'), {name: 'NotFoundError', message: /nobody/});
});

test('a backup starts what it can, and says of each other target why not', async t => {
	const agent = createFakeAgent();
	agent.has.targets = ['shop/db', 'shop/app', 'bad/labels'].map(name => targetView(name));
	agent.refuses.set('bad/labels', new RunError('`bad/labels` has problems', {hint: 'mend its labels'}));
	const {post, client} = await serve(t, agent);
	await client.backup({targets: ['shop/db']}, 'cli');
	const response = await post('backup', {all: true});
	t.is(response.status, 202);
	t.deepEqual(await response.json(), {
		runs: [
			{target: 'shop/db', status: 409, error: '`shop/db` is busy with another run'},
			{target: 'shop/app', run: 'run-2'},
			{target: 'bad/labels', status: 500, error: '`bad/labels` has problems', hint: 'mend its labels'},
		],
	});
	t.deepEqual(agent.calls[0], {backup: 'shop/db', trigger: 'cli'});
	t.deepEqual(agent.calls[1], {backup: 'shop/db', trigger: 'api'});

	const again = await client.backup({targets: ['nobody', 'nobody']}, 'slack:U1');
	t.like(again, {length: 1, 0: {target: 'nobody', status: 404}});
});

test('runs are listed, shown and cancelled', async t => {
	const agent = createFakeAgent();
	agent.has.targets = [targetView('a/a'), targetView('b/b')];
	const {client} = await serve(t, agent);
	await client.backup({all: true}, 'cli');
	t.deepEqual(
		(await client.runs()).map(({run}) => run),
		['run-2', 'run-1'],
	);
	t.deepEqual(
		(await client.runs({target: 'a/a', limit: 1})).map(({run}) => run),
		['run-1'],
	);
	t.is((await client.run('run-1')).target, 'a/a');
	await client.cancel('run-1');
	t.deepEqual(agent.calls.at(-1), {cancel: 'run-1'});
	agent.finish('run-1');
	await t.throwsAsync(client.cancel('run-1'), {name: 'UsageError', message: /is over/});
	await t.throwsAsync(client.run('../targets'), {name: 'NotFoundError', message: /no run/});
});

test('a restore is planned and started', async t => {
	const agent = createFakeAgent();
	agent.has.targets = [targetView('shop/db')];
	agent.has.points = [
		{
			point: 'p1',
			target: 'shop/db',
			time: '2026-11-03T03:00:00.000Z',
			sources: [{source: 'volume:/data', snapshot: 'x', bytes: 1}],
			host: 'host',
			agent: 'agent-1',
			own: true,
			verifiedAt: null,
		},
	];
	const {client, post} = await serve(t, agent);
	const request = {target: 'shop/db', point: 'latest', only: ['volume:/data'], trigger: 'cli'};
	t.like(await client.planRestore(request), {sources: ['volume:/data'], stop: ['shop-app-1']});
	t.is(await client.restore(request), 'run-1');
	t.deepEqual(agent.calls.at(-1), {restore: request});
	t.is((await post('restore', {target: 'shop/db'})).status, 202);
	t.deepEqual(agent.calls.at(-1), {restore: {target: 'shop/db', point: 'latest', only: [], trigger: 'api'}});
});

test('what is not valid is refused with the reason', async t => {
	const {post, api} = await serve(t, createFakeAgent());
	const refused: Array<[string, unknown, RegExp]> = [
		['backup', {}, /targets: /],
		['backup', {targets: 'a'}, /targets: .*array/],
		['backup', {targets: []}, /targets/],
		['backup', {targets: ['a'], all: true}, /Unrecognized key/],
		['backup', {all: false}, /all: /],
		['backup', {targets: ['a'], trigger: 'schedule'}, /slack:<user>/],
		['backup', {targets: ['x'.repeat(301)]}, /targets/],
		['backup', '{', /must be JSON/],
		['restore', {target: 'a', point: 7}, /point/],
		['restore', {target: 'a', force: true}, /force/],
		['restore/plan', [], /body/],
	];
	for (const [path, body, reason] of refused) {
		const response = await post(path, body);
		t.is(response.status, 400, JSON.stringify(body));
		t.regex(((await response.json()) as {error: string}).error, reason, JSON.stringify(body));
	}

	for (const path of ['plan?target=', 'runs?limit=0', 'runs?limit=1001', 'runs?limit=many', `runs/${'x'.repeat(101)}`]) {
		t.is((await api(path)).status, 400, path);
	}

	t.is((await api('nothing')).status, 404);
});

test('a body of more than 64 KiB is refused, also one that does not say its size', async t => {
	const {post, url} = await serve(t, createFakeAgent());
	const big = JSON.stringify({targets: ['x'.repeat(70_000)]});
	t.is((await post('backup', big)).status, 413);
	const status = await new Promise((resolve, reject) => {
		const sending = request(
			`${url}/api/v1/backup`,
			{method: 'POST', headers: {Authorization: `Bearer ${token}`, 'Transfer-Encoding': 'chunked'}},
			response => {
				response.resume();
				resolve(response.statusCode);
			},
		);
		sending.on('error', reject);
		sending.end(big);
	});
	t.is(status, 413);
});

test('errors become the status that tells them apart', async t => {
	const agent = createFakeAgent();
	const {api, client, reported} = await serve(t, agent);
	const cases: Array<[Error, number, Record<string, string>]> = [
		[
			new RepositoryError('locked', 'the repository is locked', {hint: 'wait'}),
			503,
			{error: 'the repository is locked', hint: 'wait', problem: 'locked'},
		],
		[new RepositoryError('wrong-password', 'wrong password'), 502, {error: 'wrong password', problem: 'wrong-password'}],
		[new CancelledError('the agent is closing'), 503, {error: 'the agent is closing'}],
		[new Error('broken', {cause: new Error('inside')}), 500, {error: 'broken: inside'}],
	];
	for (const [error, status, body] of cases) {
		agent.points = async () => {
			throw error;
		};
		const response = await api('points');
		t.is(response.status, status);
		t.deepEqual(await response.json(), body);
	}

	t.deepEqual(reported, [cases[3]?.[0]], 'only what nobody foresaw is reported');
	agent.points = async () => {
		throw new RepositoryError('full', 'no space');
	};
	await t.throwsAsync(client.points(), {name: 'RepositoryError', message: 'no space'});
});

test('a run that rejects against its promise is reported and harms nobody', async t => {
	const agent = createFakeAgent();
	agent.has.targets = [targetView('a/a')];
	agent.backup = async () => ({run: 'r', finished: Promise.reject(new Error('lost'))});
	const {client, reported} = await serve(t, agent);
	t.deepEqual(await client.backup({all: true}, 'cli'), [{target: 'a/a', run: 'r'}]);
	await until('the report', () => reported.length === 1);
	t.is((reported[0] as Error).message, 'lost');
});

test('an event stream has ids, heartbeats and an end', async t => {
	const agent = createFakeAgent();
	agent.has.targets = [targetView('a/a')];
	const {api, client} = await serve(t, agent, {heartbeatMs: 20});
	await client.backup({all: true}, 'cli');
	agent.tell('run-1', {type: 'step', step: 'plan'});
	agent.tell('run-1', {type: 'progress', source: 's', bytes: 1});
	const response = await api('runs/run-1/events');
	t.is(response.headers.get('content-type'), 'text/event-stream');
	let text = '';
	for await (const chunk of (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())) {
		text += chunk;
		if (text.split(': still here').length === 3) {
			agent.finish('run-1');
		}
	}

	t.deepEqual(text.match(/^id: \d+/gm), ['id: 1', 'id: 2', 'id: 2', 'id: 3']);
	t.regex(text, /"type":"finished"/);

	const replay = await (await api('runs/run-1/events', {headers: {'Last-Event-ID': '2'}})).text();
	t.deepEqual(replay.match(/^id: \d+/gm), ['id: 3']);
	t.is((await api('runs/none/events')).status, 404);
	t.is((await api('runs/run-1/events', {headers: {'Last-Event-ID': 'x'}})).status, 400);
});

test('a follower that leaves is let go', async t => {
	const agent = createFakeAgent();
	agent.has.targets = [targetView('a/a')];
	const {api, client} = await serve(t, agent);
	await client.backup({all: true}, 'cli');
	const leaving = new AbortController();
	await api('runs/run-1/events', {signal: leaving.signal});
	await until('the follower', () => agent.followers() === 1);
	leaving.abort();
	await until('the follower to be gone', () => agent.followers() === 0);
	t.pass();
});

test('a follower that takes nothing is not read for, and is dropped', async t => {
	const agent = createFakeAgent();
	agent.has.targets = [targetView('a/a')];
	let read = 0;
	let dropped = false;
	const event = {type: 'warning', run: 'run-1', target: 'a/a', at: 0, message: 'x'.repeat(10_000)} as const;
	agent.follow = async function* (_run, signal) {
		try {
			while (!signal.aborted) {
				read++;
				yield event;
			}
		} finally {
			dropped = true;
		}
	};
	const {url, client} = await serve(t, agent, {stalledMs: 1500});
	await client.backup({all: true}, 'cli');
	const socket = connect(Number(new URL(url).port), '127.0.0.1');
	t.teardown(() => socket.destroy());
	socket.write(`GET /api/v1/runs/run-1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`);
	socket.pause();
	let before = -1;
	await until('the reading to stop', () => {
		const stopped = read > 0 && read === before;
		before = read;
		return stopped;
	});
	t.true(read * 10_000 < 32 * 1024 * 1024, `${read} events were read for a client that takes none`);
	t.false(dropped);
	await until('the follower to be dropped', () => dropped);
});

test('closing lets followers go', async t => {
	const agent = createFakeAgent();
	agent.has.targets = [targetView('a/a')];
	const {api, client, close} = await serve(t, agent);
	await client.backup({all: true}, 'cli');
	const response = await api('runs/run-1/events');
	await until('the follower', () => agent.followers() === 1);
	const began = performance.now();
	await close();
	t.true(performance.now() - began < 900, 'it did not have to be cut');
	t.is(agent.followers(), 0);
	await response.text().catch(() => {});
});

test('the audit log and the notes go over the wire; a reference works once', async t => {
	const {client} = await serve(t, createFakeAgent());
	const entry = {
		who: 'slack:T1/U1',
		place: 'C1',
		action: 'restore',
		subject: 'shop/db',
		decision: 'allowed',
		reference: 'reference-1',
	} as const;
	const id = await client.recordAudit(entry);
	await t.throwsAsync(client.recordAudit(entry), {instanceOf: BusyError, message: /used before/});
	await client.completeAudit(id, {outcome: 'done'});
	t.like(await client.audit({subject: 'shop/db'}), [{who: 'slack:T1/U1', action: 'restore', outcome: 'done'}]);
	await t.throwsAsync(client.recordAudit({...entry, who: 'schedule'}), {instanceOf: UsageError, message: /who: must be/});
	await client.saveNote('key of <any> kind', 'a note');
	t.deepEqual(await client.notes(), {'key of <any> kind': 'a note'});
	await client.saveNote('key of <any> kind', null);
	t.deepEqual(await client.notes(), {});
});
