import test from 'ava';
import type {Client} from '../../../../agent/api/client.ts';
import {createRoster, viewOf} from '../../../../agent/api/fleet.ts';

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
	const client = (more: Partial<Client>) => ({url: 'http://x', version: async () => '1', ...more}) as Client;
	const status = {lastSuccess: {run: 'r', at: '', bytes: 5}, problems: []};
	t.like(await viewOf({name: 'a', client: client({status: async () => [status, {...status, late: 'x'}] as never})}), {
		host: 'a',
		late: 1,
		bytes: 10,
		version: '1',
	});
	t.like(await viewOf({name: 'a', client: client({status: () => Promise.reject(new Error('gone'))})}), {error: 'gone', targets: []});
});

test('an address that DNS says twice is one; two that file under one name are two', async t => {
	const roster = createRoster([tasks], {lookUp: async () => ['10.0.0.3', '10.0.0.2', '10.0.0.3'], greet: async () => ({host: 'pi'})});
	await roster.refresh();
	t.deepEqual(
		roster.hosts().map(({name, client}) => `${name} ${client.url}`),
		['pi http://10.0.0.2:9797', 'pi (10.0.0.3) http://10.0.0.3:9797'],
	);
});
