/** What the client of the engine sends, to a server that only listens. */
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {text} from 'node:stream/consumers';
import test, {type ExecutionContext} from 'ava';
import {connectEngine, type Engine} from '../../../docker/engine.ts';
import {scaledOf} from '../../../docker/stack.ts';

async function heard(t: ExecutionContext, answers: Record<string, object | object[]>, work: (engine: Engine) => Promise<unknown>) {
	const calls: Array<{call: string; body: unknown}> = [];
	const server = createServer(async (request, response) => {
		const body = await text(request);
		const {method, url = ''} = request;
		calls.push({call: `${method} ${url}`, body: body === '' ? undefined : JSON.parse(body)});
		response.setHeader('content-type', 'application/json');
		response.end(JSON.stringify(answers[url.split('?')[0] ?? ''] ?? {}));
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	t.teardown(() => server.close());
	await work(connectEngine(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`));
	return calls;
}

test('a service is written anew without its environment in the address, which proxies log', async t => {
	const spec = {Name: 'shop_app', TaskTemplate: {ContainerSpec: {Env: ['PASSWORD=secret']}}};
	const calls = await heard(t, {'/services/s1': {Version: {Index: 7}, Spec: spec}}, async engine => engine.scale('s1', 2));
	t.deepEqual(calls, [
		{call: 'GET /services/s1', body: undefined},
		{call: 'POST /services/s1/update?version=7', body: {...spec, Mode: {Replicated: {Replicas: 2}}}},
	]);
});

test('who scales a service to nothing is written on it until it is scaled up again, and is no label of its target', async t => {
	const labels = {'holdfast.quiesce': 'stop'};
	const spec = {Name: 'shop_app', Labels: labels, Mode: {Replicated: {Replicas: 3}}};
	const why = {replicas: 3, run: '20260101t000000-abc', at: 1_700_000_000_000};
	const written = {...labels, 'holdfast.scaled': '3 20260101t000000-abc 1700000000'};
	const down = await heard(t, {'/services/s1': {Version: {Index: 7}, Spec: spec}}, async engine => engine.scale('s1', 0, why));
	t.like(down[1], {body: {Labels: written, Mode: {Replicated: {Replicas: 0}}}});
	const scaled = {ID: 's1', Spec: {...spec, Labels: written, Mode: {Replicated: {Replicas: 0}}}};
	const up = await heard(t, {'/services/s1': {Version: {Index: 8}, Spec: scaled.Spec}}, async engine => engine.scale('s1', 3));
	t.like(up[1], {body: {Labels: labels}});
	t.notRegex(JSON.stringify(up), /holdfast\.scaled/);
	await heard(t, {'/services': [scaled]}, async engine => {
		const [service] = await engine.services();
		t.like(service, {replicas: 0, labels, scaled: why});
		t.is(service?.labels['holdfast.scaled'], undefined);
	});
	for (const text of ['3', '0 run 1', '3 run', '-1 run 1', '3 r;x 1', '3 run 1 2']) {
		t.is(scaledOf({'holdfast.scaled': text}), undefined, text);
	}
});

test('nor is what a container is made of in the address', async t => {
	const options = {Image: 'holdfast', Env: ['A=b'], HostConfig: {Binds: ['a:/a']}};
	const calls = await heard(t, {'/containers/create': {Id: 'c1'}}, async engine => {
		t.is(await engine.create('worker', options), 'c1');
	});
	t.deepEqual(calls, [{call: 'POST /containers/create?name=worker', body: options}]);
});

test('a grace period of months is waited for, not cut at once', async t => {
	const calls = await heard(t, {}, async engine => engine.stop('c1', 40 * 24 * 3600));
	t.deepEqual(calls, [{call: 'POST /containers/c1/stop?t=3456000', body: {t: 3_456_000}}]);
});

test('which Swarm a node belongs to is known by its managers, also where it is none', async t => {
	const remote = (ids: Array<string | undefined>) => ({Swarm: {ControlAvailable: false, RemoteManagers: ids.map(id => ({NodeID: id}))}});
	for (const [info, managers] of [
		[remote(['m1', 'm2', undefined]), ['m1', 'm2']],
		[{Swarm: {RemoteManagers: null}}, []],
		[{}, []],
	] as const) {
		await heard(t, {'/info': info}, async engine => t.deepEqual((await engine.info()).managers, managers));
	}
});

test('how a container ended is asked of what the engine remembers, for it may be gone', async t => {
	const died = {Type: 'container', Action: 'die', Actor: {ID: 'c1', Attributes: {name: 'worker', exitCode: '137'}}};
	const calls = await heard(t, {'/events': died}, async engine => {
		t.deepEqual(await engine.death('c1'), {name: 'worker', exitCode: 137});
	});
	const asked = new URL(calls[0]?.call.replace('GET ', 'http://engine') ?? '').searchParams;
	t.deepEqual(JSON.parse(asked.get('filters') ?? ''), {container: ['c1'], event: ['die']});
	t.true(Number(asked.get('since')) < Number(asked.get('until')));
	await heard(t, {}, async engine => {
		t.is(await engine.death('c2'), undefined);
	});
});

test('whether a container was sent a signal is known as far back as the engine remembers', async t => {
	const event = (second: number, Action: string, ID = 'c1') => ({Type: 'container', Action, Actor: {ID}, timeNano: second * 1e9});
	for (const [events, expected] of [
		[[event(10, 'exec_die'), event(30, 'kill')], true],
		[[event(30, 'kill')], true],
		[[event(10, 'kill'), event(30, 'exec_die')], false],
		[[event(10, 'exec_die'), event(30, 'kill', 'c2')], false],
		[[event(21, 'exec_die')], undefined],
		[[], undefined],
	] as const) {
		const server = createServer((_, response) => response.end(events.map(each => `${JSON.stringify(each)}\n`).join('')));
		await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
		const engine = connectEngine(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`);
		t.is(await engine.signalled('c1', 20_000), expected, JSON.stringify(events));
		server.close();
	}
});

test('whose root that of the containers is, as engines say it', async t => {
	for (const [options, confined] of [
		[['name=seccomp,profile=default', 'name=rootless', 'name=cgroupns'], 'rootless'],
		[['name=apparmor', 'name=seccomp,profile=builtin', 'name=userns'], 'userns-remap'],
		[['name=userns', 'name=rootless'], 'rootless'],
		[['name=apparmor', 'name=seccomp,profile=name-userns'], undefined],
		[null, undefined],
		[undefined, undefined],
	] as const) {
		await heard(t, {'/info': {SecurityOptions: options}}, async engine => t.is((await engine.info()).confined, confined));
	}
});
