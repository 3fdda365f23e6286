import test from 'ava';
import {createMetrics} from '../../../../agent/metrics/metrics.ts';
import type {OwnState} from '../../../../agent/metrics/own-state.ts';
import type {History} from '../../../../agent/metrics/runs.ts';
import {createEventHub} from '../../../../base/events.ts';
import {type BackupResult, finishedAs, type Operation, type RestoreResult} from '../../../../base/results.ts';
import type {RunView} from '../../../../base/shapes/runs.ts';
import type {Overview, Scheduled, StatusView, TargetOverview, TargetView} from '../../../../base/shapes/targets.ts';
import {statusView, targetView} from '../../../support/doubles/fake-agent.ts';
import {overviewWith} from '../../../support/doubles/overview.ts';

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

const overviewOf = (
	target: string,
	{view: changed = {}, status = {}}: {view?: Partial<TargetView>; status?: Partial<StatusView>} = {},
): TargetOverview => ({
	view: targetView(target, changed),
	status: statusView(target, {
		lastRun: {run: 'r', outcome: 'failed', startedAt: '2026-11-03T03:00:00.000Z', durationSeconds: 12, quiesceSeconds: 0.25},
		lastSuccess: {run: 'q', at: '2026-11-02T03:00:10.000Z'},
		...status,
	}),
	quiesceLimitSeconds: 300,
	firstSeen: 1_000_000,
});

const daily: Scheduled = {
	operation: 'backup',
	target: 'shop/db',
	nextRun: '2026-11-04T03:00:00.000Z',
	expectedIntervalSeconds: 86_400,
	since: 2_000_000,
};

function observe(history: Partial<History> = {}) {
	const reported: unknown[] = [];
	const hub = createEventHub(error => reported.push(error));
	let observed = overviewWith({targets: [overviewOf('shop/db')], scheduled: [daily]});
	let own: OwnState = {
		quiescedContainers: 2,
		leftQuiescedContainers: 1,
		repositories: new Map([['primary', true]]),
		holdings: new Map(),
		slackConnected: undefined,
	};
	let collect = async () => observed;
	const metrics = createMetrics({
		hub,
		version: '1.2.3',
		history: {latest: [], counts: [], quiesced: [], ...history},
		collect: () => collect(),
		own: () => own,
		report: error => reported.push(error),
		collectMs: 100,
	});
	return {
		reported,
		async set(change: Partial<Overview>) {
			observed = {...observed, ...change};
			await metrics.refresh();
		},
		setOwn(change: Partial<OwnState>) {
			own = {...own, ...change};
		},
		async breakWith(broken: () => Promise<Overview>) {
			collect = broken;
			await metrics.refresh();
		},
		finish: (result: BackupResult | RestoreResult, operation: Operation = 'backup', at = 0) =>
			hub.send({type: 'finished', run: result.run, target: result.target, at, ...finishedAs(operation, result)}),
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
		'last_backup_rested{target="shop/db"}': 0,
		'last_quiesce_seconds{target="shop/db"}': 0.25,
		'quiesce_limit_seconds{target="shop/db"}': 300,
		'first_seen_timestamp_seconds{target="shop/db"}': 1000,
		'next_run_timestamp_seconds{target="shop/db",operation="backup"}': Date.parse('2026-11-04T03:00:00.000Z') / 1000,
		'expected_interval_seconds{target="shop/db",operation="backup"}': 86_400,
		'scheduled_since_timestamp_seconds{target="shop/db",operation="backup"}': 2000,
		'target_problems{target="shop/db"}': 0,
		targets: 1,
		unprotected_volumes: 0,
		quiesced_containers: 2,
		left_quiesced_containers: 1,
		other_agents: 0,
		'repository_up{repository="primary"}': 1,
		engine_up: 1,
		'build_info{version="1.2.3"}': 1,
		'runs_total{target="shop/db",operation="backup",outcome="success"}': 0,
		'runs_total{target="shop/db",operation="backup",outcome="partial"}': 0,
		'runs_total{target="shop/db",operation="backup",outcome="failed"}': 0,
	});
});

test('what the repository holds and how well it is looked after', async t => {
	const {samples, setOwn} = observe();
	const holdings = {
		points: new Map([['shop/db', 3]]),
		sizeBytes: 1234,
		lockAgeMs: null,
		checkSuccess: false,
		lastCheck: 5000,
		lastPrune: 6000,
		suspicious: ['shop/db'],
	};
	setOwn({holdings: new Map([['primary', holdings]])});
	t.like(await samples(), {
		'repository_size_bytes{repository="primary"}': 1234,
		'repository_check_success{repository="primary"}': 0,
		'repository_last_check_timestamp_seconds{repository="primary"}': 5,
		'repository_last_prune_timestamp_seconds{repository="primary"}': 6,
		'repository_lock_age_seconds{repository="primary"}': 0,
		'restore_points{target="shop/db"}': 3,
		'target_suspicious{target="shop/db"}': 1,
	});
	const unknown = {...holdings, points: undefined, sizeBytes: undefined, checkSuccess: undefined, lastCheck: undefined, suspicious: []};
	setOwn({holdings: new Map([['primary', {...unknown, lockAgeMs: 60_000}]])});
	const after = await samples();
	t.false('repository_check_success{repository="primary"}' in after);
	t.false('restore_points{target="shop/db"}' in after);
	t.is(after['repository_lock_age_seconds{repository="primary"}'], 60, 'as it was looked at: who has it may have refreshed it since');
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

test('after a restart all is as it was', async t => {
	const failed = backup('shop/db', {outcome: 'failed', durationSeconds: 5, sources: []});
	const {samples, finish} = observe({
		latest: [view(failed), view(backup('shop/db')), view(backup('shop/gone'))],
		counts: [
			{target: 'shop/db', operation: 'backup', outcome: 'success', count: 40},
			{target: 'shop/db', operation: 'backup', outcome: 'failed', count: 1},
			{target: 'shop/gone', operation: 'backup', outcome: 'success', count: 7},
			{target: 'repository:primary', operation: 'check', outcome: 'success', count: 3},
		],
		quiesced: [
			{target: 'shop/db', quiesceSeconds: 0.4},
			{target: 'shop/gone', quiesceSeconds: 0.4},
		],
	});
	finish(backup('shop/db'));
	const seen = await samples();
	t.like(seen, {
		'run_duration_seconds{target="shop/db",operation="backup"}': 12,
		'last_run_outcome{target="shop/db",operation="backup",outcome="success"}': 1,
		'last_run_outcome{target="shop/db",operation="backup",outcome="failed"}': 0,
		'backup_bytes{target="shop/db",source="volume:/data"}': 1000,
		'runs_total{target="shop/db",operation="backup",outcome="success"}': 41,
		'runs_total{target="shop/db",operation="backup",outcome="failed"}': 1,
		'runs_total{target="repository:primary",operation="check",outcome="success"}': 3,
		'quiesce_seconds_count{target="shop/db"}': 2,
	});
	t.deepEqual(
		Object.keys(seen).filter(name => name.includes('shop/gone')),
		[],
	);
});

test('a target that is gone leaves no series', async t => {
	const {samples, finish, set, setOwn} = observe();
	finish(backup('shop/db'));
	finish(backup('shop/db'), 'drill');
	const holdings = {lockAgeMs: null, sizeBytes: 1, checkSuccess: true, lastCheck: 1, lastPrune: 1, suspicious: ['shop/db']};
	setOwn({holdings: new Map([['primary', {...holdings, points: new Map([['shop/db', 3]])}]])});
	await samples();
	await set({
		targets: [overviewOf('shop/new', {view: {problems: [{message: 'x'}]}, status: {lastRun: null, lastSuccess: null}})],
		scheduled: [{...daily, target: 'shop/new', nextRun: null}],
	});
	const seen = await samples();
	t.deepEqual(
		Object.keys(seen).filter(name => name.includes('shop/db')),
		[],
	);
	t.is(seen['target_problems{target="shop/new"}'], 1);
	t.is(seen['next_run_timestamp_seconds{target="shop/new",operation="backup"}'], undefined);
});

for (const [how, broken] of [
	['rejects', () => Promise.reject(new Error('no engine'))],
	['hangs', () => new Promise<Overview>(() => {})],
] as const) {
	test(`an engine that is away says so, and the rest stays: ${how}`, async t => {
		const {samples, finish, breakWith, setOwn, reported} = observe();
		await samples();
		finish(backup('shop/db'));
		const before = await samples();
		await breakWith(broken);
		setOwn({quiescedContainers: 0});
		t.deepEqual(await samples(), {...before, engine_up: 0, quiesced_containers: 0});
		t.is(reported.length, 1);
	});
}

test('a scrape does not wait for the engine, but for the first look', async t => {
	const {samples, breakWith} = observe();
	await samples();
	void breakWith(() => new Promise<Overview>(() => {}));
	t.is((await samples()).engine_up, 1);
});

test('a hostile name cannot forge a sample', async t => {
	const {samples, text, set} = observe();
	await set({targets: [overviewOf('a"} 1\nholdfast_engine_up 9\n')]});
	await samples();
	t.deepEqual((await text()).match(/^holdfast_engine_up .*$/gm), ['holdfast_engine_up 1']);
});

test('whether Slack is connected; nothing where there is no bot', async t => {
	const {samples, setOwn} = observe();
	t.false('slack_connected' in (await samples()));
	for (const [slackConnected, value] of [
		[false, 0],
		[true, 1],
	] as const) {
		setOwn({slackConnected});
		t.is((await samples()).slack_connected, value);
	}

	setOwn({slackConnected: undefined});
	t.false('slack_connected' in (await samples()));
});
