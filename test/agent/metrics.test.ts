import test from 'ava';
import type {RunView, StatusView} from '../../agent/agent.ts';
import {type BackupResult, createEventHub, type Operation, type RestoreResult} from '../../agent/events.ts';
import {createMetrics, type Observed} from '../../agent/metrics.ts';
import {targetView} from '../support/fake-agent.ts';

const backup = (target: string, rest: Partial<BackupResult> = {}): BackupResult => ({
	run: 'r',
	target,
	outcome: 'success',
	point: 'r',
	startedAt: '2026-11-03T03:00:00.000Z',
	durationSeconds: 12,
	quiesceSeconds: 0.4,
	sources: [{source: 'volume:/data', outcome: 'success', snapshot: 's', bytes: 1000, addedBytes: 10}],
	...rest,
});

const view = (result: BackupResult): RunView => ({
	run: result.run,
	target: result.target,
	operation: 'backup',
	trigger: 'schedule',
	state: 'finished',
	outcome: result.outcome,
	startedAt: result.startedAt,
	durationSeconds: result.durationSeconds,
	result,
});

const status = (target: string, rest: Partial<StatusView> = {}): StatusView => ({
	target,
	running: null,
	lastRun: {run: 'r', outcome: 'failed', startedAt: '2026-11-03T03:00:00.000Z', durationSeconds: 12, quiesceSeconds: 0},
	lastSuccess: {run: 'q', at: '2026-11-02T03:00:10.000Z'},
	nextRun: '2026-11-04T03:00:00.000Z',
	problems: [],
	...rest,
});

function observe(history: RunView[] = []) {
	const reported: unknown[] = [];
	const hub = createEventHub(error => reported.push(error));
	let observed: Observed = {targets: [targetView('shop/db')], status: [status('shop/db')], engineUp: true, quiescedContainers: 2};
	let collect = async () => observed;
	const metrics = createMetrics({
		hub,
		version: '1.2.3',
		history,
		collect: () => collect(),
		report: error => reported.push(error),
		collectMs: 100,
	});
	return {
		reported,
		set: (change: Partial<Observed>) => {
			observed = {...observed, ...change};
		},
		breakWith: (broken: () => Promise<Observed>) => {
			collect = broken;
		},
		finish: (result: BackupResult | RestoreResult, operation: Operation = 'backup', at = 0) =>
			hub.send({type: 'finished', run: result.run, target: result.target, at, operation, result}),
		step: (run: string, target: string, at: number) => hub.send({type: 'step', run, target, at, step: 'plan'}),
		/** The samples, without comments and buckets. */
		async samples(): Promise<Record<string, number>> {
			const lines = (await metrics.text()).split('\n').filter(line => line !== '' && !line.startsWith('#') && !line.includes('_bucket'));
			return Object.fromEntries(
				lines.map(line => [line.slice(0, line.lastIndexOf(' ')).replace(/^holdfast_/, ''), Number(line.slice(line.lastIndexOf(' ') + 1))]),
			);
		},
		text: metrics.text,
	};
}

test('what the agent shows', async t => {
	const {samples} = observe();
	t.deepEqual(await samples(), {
		'last_success_timestamp_seconds{target="shop/db"}': Date.parse('2026-11-02T03:00:10.000Z') / 1000,
		'last_run_timestamp_seconds{target="shop/db"}': Date.parse('2026-11-03T03:00:12.000Z') / 1000,
		'next_run_timestamp_seconds{target="shop/db"}': Date.parse('2026-11-04T03:00:00.000Z') / 1000,
		'target_problems{target="shop/db"}': 0,
		targets: 1,
		quiesced_containers: 2,
		engine_up: 1,
		'build_info{version="1.2.3"}': 1,
		'runs_total{target="shop/db",operation="backup",outcome="success"}': 0,
		'runs_total{target="shop/db",operation="backup",outcome="partial"}': 0,
		'runs_total{target="shop/db",operation="backup",outcome="failed"}': 0,
	});
});

test('what runs leave behind', async t => {
	const {samples, finish, step, text} = observe();
	finish(backup('shop/db'));
	finish(backup('shop/db', {outcome: 'failed', point: null, durationSeconds: 3, quiesceSeconds: 0, sources: []}));
	step('restore-1', 'shop/db', 1000);
	finish({run: 'restore-1', target: 'shop/db', point: 'r', outcome: 'success', replaced: [], outageSeconds: 2}, 'restore', 6000);
	t.like(await samples(), {
		'runs_total{target="shop/db",operation="backup",outcome="success"}': 1,
		'runs_total{target="shop/db",operation="backup",outcome="failed"}': 1,
		'runs_total{target="shop/db",operation="restore",outcome="success"}': 1,
		'run_duration_seconds{target="shop/db",operation="backup"}': 3,
		'run_duration_seconds{target="shop/db",operation="restore"}': 5,
		'backup_bytes{target="shop/db",source="volume:/data"}': 1000,
		'backup_added_bytes{target="shop/db",source="volume:/data"}': 10,
		'quiesce_seconds_count{target="shop/db"}': 1,
		'quiesce_seconds_sum{target="shop/db"}': 0.4,
	});
	t.regex(await text(), /quiesce_seconds_bucket\{le="0.5",target="shop\/db"\} 1/);
});

test('a source that a later backup does not have is gone', async t => {
	const {samples, finish} = observe();
	finish(backup('shop/db'));
	finish(backup('shop/db', {sources: [{source: 'tar:/etc', outcome: 'success', snapshot: 's', bytes: 7, addedBytes: 0}]}));
	const seen = await samples();
	t.is(seen['backup_bytes{target="shop/db",source="tar:/etc"}'], 7);
	t.is(seen['backup_bytes{target="shop/db",source="volume:/data"}'], undefined);
});

test('after a restart the gauges are true, and the counters begin anew', async t => {
	const failed = backup('shop/db', {outcome: 'failed', durationSeconds: 5, sources: []});
	const {samples} = observe([view(failed), view(backup('shop/db')), view(backup('shop/gone'))]);
	const seen = await samples();
	t.like(seen, {
		'run_duration_seconds{target="shop/db",operation="backup"}': 5,
		'backup_bytes{target="shop/db",source="volume:/data"}': 1000,
		'runs_total{target="shop/db",operation="backup",outcome="success"}': 0,
	});
	t.deepEqual(
		Object.keys(seen).filter(name => name.includes('shop/gone')),
		[],
	);
});

test('a target that is gone leaves no series', async t => {
	const {samples, finish, set} = observe();
	finish(backup('shop/db'));
	finish(backup('shop/db'), 'drill');
	await samples();
	set({
		targets: [targetView('shop/new', {problems: [{message: 'x'}]})],
		status: [status('shop/new', {lastRun: null, lastSuccess: null, nextRun: null})],
	});
	const seen = await samples();
	t.deepEqual(
		Object.keys(seen).filter(name => name.includes('shop/db')),
		[],
	);
	t.is(seen['target_problems{target="shop/new"}'], 1);
	t.is(seen['next_run_timestamp_seconds{target="shop/new"}'], undefined);
});

for (const [how, broken] of [
	['rejects', () => Promise.reject(new Error('no engine'))],
	['hangs', () => new Promise<Observed>(() => {})],
] as const) {
	test(`an engine that is away says so, and the rest stays: ${how}`, async t => {
		const {samples, finish, breakWith, reported} = observe();
		finish(backup('shop/db'));
		const before = await samples();
		breakWith(broken);
		t.deepEqual(await samples(), {...before, engine_up: 0});
		t.is(reported.length, 1);
	});
}

test('targets are not taken for gone while the engine is away', async t => {
	const {samples, finish, set} = observe();
	finish(backup('shop/db'));
	const before = await samples();
	set({engineUp: false, targets: [], status: [], quiescedContainers: 0});
	t.deepEqual(await samples(), {...before, engine_up: 0, quiesced_containers: 0});
});

test('a hostile name cannot forge a sample', async t => {
	const {samples, text, set} = observe();
	set({targets: [targetView('a"} 1\nholdfast_engine_up 9\n')]});
	await samples();
	t.deepEqual((await text()).match(/^holdfast_engine_up .*$/gm), ['holdfast_engine_up 1']);
});
