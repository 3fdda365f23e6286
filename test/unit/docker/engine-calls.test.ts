/** What the client of the engine sends, to a server that only listens. */
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {text} from 'node:stream/consumers';
import test, {type ExecutionContext} from 'ava';
import {connectEngine, type Engine} from '../../../docker/engine.ts';

async function heard(t: ExecutionContext, answers: Record<string, object>, work: (engine: Engine) => Promise<unknown>) {
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
