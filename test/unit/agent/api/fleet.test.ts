import {createServer, type RequestListener} from 'node:http';
import {networkInterfaces} from 'node:os';
import test, {type ExecutionContext} from 'ava';
import {type Client, createClient} from '../../../../agent/api/client.ts';
import {createRoster, remarksOn, viewOf} from '../../../../agent/api/fleet.ts';

const token = 'correct-horse';
const tasks = {name: 'agent', url: 'http://tasks.agent:9797', token};

function nodes() {
	/** By address: what the agent there says of itself; undefined: it says nothing. */
	const at = new Map<string, string | undefined>();
	let now = 0;
	const roster = createRoster([{name: 'nas', url: 'http://nas:9797', token}, tasks], {
		lookUp: async name => (name === 'tasks.agent' ? [...at.keys()] : []),
		async greet({url}) {
			const host = at.get(new URL(url).hostname);
			if (host === undefined) {
				throw new Error('nobody is there');
			}

			return {host};
		},
		now: () => now,
	});
	const look = async () => {
		now += 60_000;
		await roster.refresh();
		return roster.hosts().map(({name, client}) => `${name} ${client.url}`);
	};
	return {at, look, roster};
}

test('what the configuration names, and every task that DNS knows, by the name of its host', async t => {
	const {at, look, roster} = nodes();
	t.true(roster.isShared());
	at.set('10.0.0.3', 'node-b').set('10.0.0.2', 'node-a');
	t.deepEqual(await look(), ['nas http://nas:9797', 'node-a http://10.0.0.2:9797', 'node-b http://10.0.0.3:9797']);
});

test('a task that was replaced is the same host; one that is gone stays to be seen; a new one comes in', async t => {
	const {at, look, roster} = nodes();
	at.set('10.0.0.2', 'node-a').set('10.0.0.3', 'node-b');
	await look();
	const [, before] = roster.hosts();
	at.clear();
	at.set('10.0.0.9', 'node-a').set('10.0.0.4', undefined);
	t.deepEqual(await look(), [
		'nas http://nas:9797',
		'agent-10.0.0.4 http://10.0.0.4:9797',
		'node-a http://10.0.0.9:9797',
		'node-b http://10.0.0.3:9797',
	]);
	t.is(roster.hosts()[2], before, 'who watches it goes on');
	at.set('10.0.0.4', 'node-c');
	t.deepEqual(await look(), [
		'nas http://nas:9797',
		'node-a http://10.0.0.9:9797',
		'node-b http://10.0.0.3:9797',
		'node-c http://10.0.0.4:9797',
	]);
	at.clear();
	t.is((await look()).length, 4, 'DNS that is away takes nobody away');
});

test('nobody is found at all: the name stands for them', async t => {
	const roster = createRoster([tasks], {lookUp: async () => []});
	await roster.refresh();
	t.deepEqual(
		roster.hosts().map(({name, client}) => [name, client.url]),
		[['agent', tasks.url]],
	);
});

test('one agent needs no name', t => {
	t.false(createRoster([{name: 'agent', url: 'http://holdfast:9797', token}]).isShared());
});

test('what a host says is counted; why it says nothing is told', async t => {
	const client = (more: Partial<Client>) => ({url: 'http://x', about: async () => ({version: '1'}), ...more}) as Client;
	const status = {target: 'a/b', lastSuccess: {run: 'r', at: '', bytes: 5}, problems: []};
	t.like(await viewOf({name: 'a', client: client({status: async () => [status, {...status, late: 'x'}] as never})}), {
		host: 'a',
		late: 1,
		bytes: 10,
		version: '1',
	});
	t.like(await viewOf({name: 'a', client: client({status: () => Promise.reject(new Error('gone'))})}), {error: 'gone', targets: []});
});

/** A roster of the agents that answer: by address, the name and the id that each says. */
function twins() {
	const at = new Map<string, {host: string; agent?: string}>();
	let now = 0;
	const roster = createRoster([tasks], {
		lookUp: async () => [...at.keys(), ...at.keys()],
		async greet({url}) {
			return at.get(new URL(url).hostname) ?? {};
		},
		now: () => now,
	});
	return {
		at,
		async look() {
			now += 60_000;
			await roster.refresh();
			return roster.hosts().map(({name, client}) => `${name} ${new URL(client.url).hostname}`);
		},
	};
}

test('an address that DNS says twice is one; of two that file under one name none has that name alone', async t => {
	const {at, look} = twins();
	at.set('10.0.0.2', {host: 'pi', agent: 'aaaaaaaa-1'});
	t.deepEqual(await look(), ['pi 10.0.0.2']);
	at.set('10.0.0.3', {host: 'pi', agent: 'bbbbbbbb-2'});
	t.deepEqual(await look(), ['pi (aaaaaaaa) 10.0.0.2', 'pi (bbbbbbbb) 10.0.0.3']);
	at.clear();
	at.set('10.0.0.3', {host: 'pi', agent: 'aaaaaaaa-1'}).set('10.0.0.2', {host: 'pi', agent: 'bbbbbbbb-2'});
	t.deepEqual(await look(), ['pi (aaaaaaaa) 10.0.0.3', 'pi (bbbbbbbb) 10.0.0.2'], 'whatever their addresses are');
	const old = twins();
	old.at.set('10.0.0.2', {host: 'pi'}).set('10.0.0.3', {host: 'pi'});
	t.deepEqual(await old.look(), ['pi (10.0.0.2) 10.0.0.2', 'pi (10.0.0.3) 10.0.0.3'], 'older versions');
});

test('while one is away, another of its name does not pass for it', async t => {
	const {at, look} = twins();
	at.set('10.0.0.2', {host: 'pi', agent: 'aaaaaaaa-1'});
	await look();
	at.clear();
	at.set('10.0.0.3', {host: 'pi', agent: 'bbbbbbbb-2'});
	t.deepEqual(await look(), ['pi 10.0.0.2', 'pi (bbbbbbbb) 10.0.0.3']);
});

test('a clock, a version, an agent that are not as the others are told; why one refuses, too', async t => {
	const now = Date.UTC(2026, 0, 1);
	const view = async (host: string, {minutes = 0, version = '1.2.0', agent = host} = {}) => {
		const about = async () => ({version, agent, time: new Date(now + minutes * 60_000).toISOString()});
		return viewOf({name: host, client: {url: 'http://x', about, status: async () => []} as unknown as Client}, () => now);
	};
	const told = async (...views: Array<ReturnType<typeof view>>) =>
		remarksOn(await Promise.all(views)).map(({host, text}) => `${host}: ${text}`);
	t.deepEqual(await told(view('a'), view('b', {minutes: 1})), []);
	t.like(await view('b', {minutes: -90}), {clockAheadSeconds: -5400});
	const [ahead, behind] = await told(view('a', {minutes: 180}), view('b', {minutes: -90}), view('c'));
	t.regex(ahead ?? '', /^a: its clock is 3h ahead of this one's/);
	t.regex(behind ?? '', /^b: its clock is 1h 30m behind/);
	const all = (await told(view('a'), view('c', {version: '1.1.0'}))).join();
	t.regex(all, /c: it runs version 1\.1\.0, and others run 1\.2\.0/);
	t.regex(
		(await told(view('a', {agent: 'x'}), view('b', {agent: 'x'}))).join(),
		/a: it is the same agent as b, or works with a copy of its state/,
	);
});

/** What answers somewhere, whatever it is. */
async function answering(t: ExecutionContext, listener: RequestListener, host = '127.0.0.1'): Promise<string> {
	const server = createServer(listener);
	await new Promise<void>(resolve => server.listen(0, host, resolve));
	t.teardown(() => {
		server.close();
		server.closeAllConnections();
	});
	const {port} = server.address() as {port: number};
	return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

const json =
	(answers: Record<string, unknown>): RequestListener =>
	(request, response) => {
		const [path = ''] = (request.url ?? '').split('?');
		response.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify(answers[path] ?? null));
	};

test('each thing that may stand where an agent should is told in a line, and keeps nobody waiting', async t => {
	const html: RequestListener = (_, response) => response.writeHead(200, {'content-type': 'text/html; charset=utf-8'}).end('<html>sign in');
	const away: RequestListener = (_, response) => response.writeHead(502, {'content-type': 'text/html'}).end('<h1>Bad Gateway</h1>');
	const elsewhere: RequestListener = (_, response) => response.writeHead(302, {location: 'https://sso.example/start'}).end();
	const cut: RequestListener = (_, response) =>
		response.writeHead(200, {'content-type': 'application/json', 'content-length': '99'}).end('{"a"');
	const cases: Array<[RequestListener, RegExp]> = [
		[html, /^what answers at http:\S+ is no agent of Holdfast: it said 200, and sent text\/html; charset=utf-8 \(is it a proxy/],
		[away, /^what answers at \S+ is no agent of Holdfast: it said 502, and sent text\/html/],
		[elsewhere, /it said 302, and sends elsewhere, to https:\/\/sso\.example\/start/],
		[json({'/api/v1/version': {data: 1}, '/api/v1/status': {data: 1}}), /^what answers at \S+ is no agent of Holdfast \(give the address/],
		[
			json({'/api/v1/version': {version: '0.1.0'}, '/api/v1/status': [{target: 'a/b'}]}),
			/is Holdfast 0\.1\.0, and tells of its targets what this version does not understand \(bring both to one version\)/,
		],
		[() => {}, /^the agent at \S+ takes the question, and gives no answer within 0\.3 s \(it hangs/],
		[cut, /./],
	];
	for (const [listener, expected] of cases) {
		const url = await answering(t, listener);
		const begun = performance.now();
		const {error = '', targets} = await viewOf({name: 'a', client: createClient({url, token, answerMs: 300})});
		t.regex(error, expected);
		t.false(error.includes('\n'));
		t.deepEqual(targets, []);
		t.true(performance.now() - begun < 5000);
	}
});

const hasIpv6 = Object.values(networkInterfaces()).some(addresses => addresses?.some(({address}) => address === '::1'));
const withIpv6 = hasIpv6 ? test : test.skip;

withIpv6('an address of IPv6 (skipped on machines without it), as it stands in the configuration and as DNS says it', async t => {
	const answers = {'/api/v1/version': {version: '1', host: 'six', agent: 'x'}, '/api/v1/status': []};
	const url = await answering(t, json(answers), '::1');
	t.like(await viewOf({name: 'a', client: createClient({url, token})}), {host: 'a', version: '1'});
	const {port} = new URL(url);
	const roster = createRoster([{name: 'agent', url: `http://tasks.agent:${port}`, token}], {lookUp: async () => ['::1', '::1']});
	await roster.refresh();
	t.deepEqual(
		roster.hosts().map(({name, client}) => [name, client.url]),
		[['six', `http://[::1]:${port}`]],
	);
});

test('who refuses the token is told from who is not there', async t => {
	const server = createServer((_, answer) => {
		answer.writeHead(401, {'content-type': 'application/json'}).end(JSON.stringify({error: 'the token is missing or wrong'}));
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	t.teardown(() => server.close());
	const {port} = server.address() as {port: number};
	const {error} = await viewOf({name: 'a', client: createClient({url: `http://127.0.0.1:${port}`, token: 'another-token-that-is-long'})});
	t.regex(error ?? '', /^the token is missing or wrong \(give the one that this agent was given: .*tokenFile/);
	server.closeAllConnections();
});
