import {createServer, Socket} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {createClient} from '../../../../agent/api/client.ts';
import type {RunEvent} from '../../../../base/events.ts';
import {createFakeAgent, targetView} from '../../../support/doubles/fake-agent.ts';
import {serveAgent} from '../../../support/doubles/server.ts';
import {until} from '../../../support/until.ts';

const token = 'correct-horse';

/** An agent with one run under way, behind a wire that can be cut. */
async function behindWire(t: ExecutionContext, {heartbeatMs = 15_000} = {}) {
	const agent = createFakeAgent();
	agent.has.targets = [targetView('a/a')];
	const {url} = await serveAgent(t, agent, {token, version: '1', heartbeatMs});

	const sockets = new Set<Socket>();
	let connections = 0;
	let frozen = false;
	const wire = createServer(client => {
		const server = new Socket();
		connections++;
		server.connect(Number(new URL(url).port), '127.0.0.1');
		for (const [from, to] of [
			[client, server],
			[server, client],
		] as const) {
			sockets.add(from);
			from.on('error', () => {});
			from.on('close', () => to.destroy());
			from.on('data', data => {
				if (!frozen) {
					to.write(data);
				}
			});
		}
	});
	const listen = (port: number) =>
		new Promise<number>(resolve => wire.listen(port, '127.0.0.1', () => resolve((wire.address() as {port: number}).port)));
	const port = await listen(0);
	const drop = () => {
		for (const socket of sockets) {
			// Not `resetAndDestroy`: with a shutdown under way, Node 24.21 then spins at its exit.
			socket.destroy();
		}

		sockets.clear();
	};
	t.teardown(() => {
		wire.close();
		drop();
	});
	await agent.backup('a/a', 'api');
	return {
		agent,
		url: `http://127.0.0.1:${port}`,
		drop,
		freeze: () => {
			frozen = true;
		},
		thaw: () => {
			frozen = false;
		},
		connections: () => connections,
		async down() {
			const closed = new Promise(resolve => wire.close(resolve));
			drop();
			await closed;
		},
		up: () => listen(port),
	};
}

/** Reads in the background what a run tells. */
function listenTo(events: AsyncIterable<RunEvent>) {
	const heard: string[] = [];
	const done = (async () => {
		for await (const event of events) {
			heard.push(event.type === 'step' ? event.step : event.type);
		}
	})();
	done.catch(() => {});
	return {heard, done};
}

test('a dropped connection costs no event and doubles none', async t => {
	const {agent, url, drop, connections} = await behindWire(t);
	const {heard, done} = listenTo(createClient({url, token}).follow('run-1', new AbortController().signal));
	await until('the first event', () => heard.length === 1);
	drop();
	agent.tell('run-1', {type: 'step', step: 'plan'});
	agent.tell('run-1', {type: 'step', step: 'store'});
	await until('what was told meanwhile', () => heard.length === 3);
	drop();
	agent.finish('run-1');
	await done;
	t.deepEqual(heard, ['queued', 'plan', 'store', 'finished']);
	t.true(connections() >= 3);
});

test('a connection that falls silent is left for a new one', async t => {
	const {agent, url, freeze, thaw, drop} = await behindWire(t, {heartbeatMs: 50});
	const {heard, done} = listenTo(createClient({url, token, silenceMs: 300}).follow('run-1', new AbortController().signal));
	await until('the first event', () => heard.length === 1);
	freeze();
	agent.finish('run-1');
	t.teardown(drop);
	setTimeout(thaw, 600);
	await done;
	t.deepEqual(heard, ['queued', 'finished']);
});

test('an agent that is away for a while is waited for', async t => {
	const {agent, url, down, up} = await behindWire(t);
	const {heard, done} = listenTo(createClient({url, token, goneMs: 20_000}).follow('run-1', new AbortController().signal));
	await until('the first event', () => heard.length === 1);
	await down();
	agent.finish('run-1');
	await up();
	await done;
	t.deepEqual(heard, ['queued', 'finished']);
});

test('an agent that stays away is an error that says so', async t => {
	const {url, down} = await behindWire(t);
	// On a busy machine the first answer takes its time, too
	const {heard, done} = listenTo(createClient({url, token, goneMs: 8000}).follow('run-1', new AbortController().signal));
	await until('the first event', () => heard.length === 1);
	await down();
	const error = await t.throwsAsync(done, {name: 'RunError', message: `the agent at ${url} has not answered for 8 s`});
	t.like(error, {hint: 'the run may be going on; look with `holdfast runs` when the agent is back'});
});

test('a run that does not exist, and a wrong token, are not tried again', async t => {
	const {url, connections} = await behindWire(t);
	await t.throwsAsync(listenTo(createClient({url, token}).follow('none', new AbortController().signal)).done, {name: 'NotFoundError'});
	await t.throwsAsync(listenTo(createClient({url, token: 'wrong'}).follow('run-1', new AbortController().signal)).done, {
		name: 'RunError',
		message: /token/,
	});
	t.true(connections() <= 2);
});

test('a follower stops when it is told to', async t => {
	const {agent, url} = await behindWire(t);
	const stop = new AbortController();
	const {heard, done} = listenTo(createClient({url, token}).follow('run-1', stop.signal));
	await until('the first event', () => heard.length === 1);
	stop.abort();
	await t.throwsAsync(done, {name: 'AbortError'});
	await until('the agent to know', () => agent.followers() === 0);
});

test('where no agent is, the error says where it was looked for', async t => {
	const {url, down} = await behindWire(t);
	await down();
	const client = createClient({url, token});
	await t.throwsAsync(client.targets(), {name: 'RunError', message: `no agent answers at ${url}`});
	await t.throwsAsync(client.health(AbortSignal.timeout(1000)), {name: 'RunError'});
});

test('each question has a connection of its own: none is lost with one that the agent closes because it idles', async t => {
	const {url, connections} = await behindWire(t);
	const client = createClient({url, token});
	await client.targets();
	await client.targets();
	t.is(connections(), 2);
});
