/** One of several agents hangs: it takes questions, and gives no answer. */
import test from 'ava';
import type {Client} from '../../../agent/api/client.ts';
import {unlessHung} from '../../../agent/api/fleet.ts';
import {createFleet} from '../../../bot/fleet.ts';
import {gather} from '../../../bot/overview.ts';

const never = async () => new Promise<never>(() => {});
const hung = {url: 'http://nas', about: never, targets: never, status: never, run: never, runs: never} as unknown as Client;
const well = {
	url: 'http://pi',
	about: async () => ({version: '1'}),
	targets: async () => [{target: 'shop/app', state: 'running'}],
	status: async () => [{target: 'shop/app', running: null, problems: [], lastRun: null}],
	points: async () => [],
	kitKept: async () => ({at: ''}),
	run: async (run: string) => ({run, target: 'shop/app', operation: 'backup'}),
} as unknown as Client;

const fleet = createFleet({
	hosts: () => [
		{name: 'nas', client: hung},
		{name: 'pi', client: well},
	],
	isShared: () => true,
	async refresh() {},
});

test('what the others say is shown without it, and it is named', async t => {
	const [{targets, silent}, {rows, troubles, hosts}] = await Promise.all([fleet.targets(), gather(fleet)]);
	t.deepEqual(
		targets.map(({label}) => label),
		['pi:shop/app'],
	);
	t.like(silent, [{host: 'nas', why: 'no answer within 5 s (it hangs, or its host does)'}]);
	t.deepEqual(
		rows.map(({label}) => label),
		['pi:shop/app'],
	);
	t.deepEqual([troubles, hosts], [['nas: no answer within 5 s (it hangs, or its host does)'], ['nas', 'pi']]);
});

test('a target or a run that nobody else has may be its own: that is said', async t => {
	await Promise.all([
		t.throwsAsync(fleet.find('shop/mail'), {
			message: /^there is no target shop\/mail, as far as is known: nas does not answer \(no answer/,
		}),
		t.like(await fleet.find('shop/app'), {label: 'pi:shop/app'}),
	]);
	const other = createFleet({
		hosts: () => [
			{name: 'nas', client: hung},
			{name: 'pi', client: {...well, run: async () => Promise.reject(new Error('cut'))}},
		],
		isShared: () => true,
		async refresh() {},
	});
	await t.throwsAsync(other.ofRun('r1'), {
		message: /^there is no run r1, as far as is known: nas does not answer .*; pi does not answer \(cut\)/,
	});
});

test('who has the run is not kept waiting for', async t => {
	t.like(await fleet.ofRun('r1'), {label: 'pi:shop/app', operation: 'backup'});
});

test('who is only slow, and says who it is, is waited for', async t => {
	const {promise, resolve} = Promise.withResolvers<string>();
	const asked: string[] = [];
	const about = async () => {
		asked.push('about');
		setTimeout(() => resolve('all of it'), 50);
		return {version: '1'};
	};
	t.is(await unlessHung({about}, promise), 'all of it');
	t.deepEqual(asked, ['about']);
});
