import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {DatabaseSync} from 'node:sqlite';
import test, {type ExecutionContext} from 'ava';
import {migrations} from '../../../../agent/state/migrations.ts';
import {openState} from '../../../../agent/state/state.ts';
import {explain} from '../../../../base/errors.ts';
import type {RunEvent} from '../../../../base/events.ts';
import type {BackupResult} from '../../../../base/results.ts';
import type {Undo} from '../../../../docker/resume.ts';

const directory = async (t: ExecutionContext) => {
	const path = await mkdtemp(join(tmpdir(), 'holdfast-state-'));
	t.teardown(() => rm(path, {recursive: true}));
	return path;
};

const database = async (t: ExecutionContext) => join(await directory(t), 'holdfast.db');

const open = async (t: ExecutionContext) => {
	const state = openState(await database(t));
	t.teardown(state.close);
	return state;
};

const result = (run: string, outcome: BackupResult['outcome'] = 'success'): BackupResult => ({
	run,
	target: 'app/db',
	outcome,
	point: run,
	startedAt: '2026-11-21T03:00:00.000Z',
	durationSeconds: 1.5,
	quiesceSeconds: 0,
	sources: [],
});

const queued = (run: string, queuedAt: number, target = 'app/db') =>
	({run, target, operation: 'backup', trigger: 'schedule', queuedAt}) as const;

const step = (run: string, subject: string): RunEvent => ({type: 'step', run, target: 'app/db', at: 1, step: 'plan', subject});

const undo: Undo = {kind: 'unpause', containerId: 'c'.repeat(64), containerName: 'it\'s "quoted" \n ☃'};

test('a run from queued to finished', async t => {
	const state = await open(t);
	state.insertRun(queued('r1', 10));
	t.like(state.findRun('r1'), {state: 'queued', outcome: null, queuedAt: 10, startedAt: null, finishedAt: null, result: null});
	state.startRun('r1', 20);
	t.deepEqual(
		state.interruptedRuns().map(({run}) => run),
		['r1'],
	);
	state.finishRun('r1', 30, result('r1'));
	t.like(state.findRun('r1'), {state: 'finished', outcome: 'success', startedAt: 20, finishedAt: 30});
	t.deepEqual(state.findRun('r1')?.result, result('r1'));
	t.deepEqual(state.interruptedRuns(), []);
	t.is(state.findRun('r2'), undefined);
});

test('a run is started and finished once', async t => {
	const state = await open(t);
	state.insertRun(queued('r1', 10));
	t.throws(() => state.insertRun(queued('r1', 11)));
	state.startRun('r1', 20);
	t.throws(() => state.startRun('r1', 21), {message: /r1/});
	state.finishRun('r1', 30, result('r1', 'failed'));
	t.throws(() => state.finishRun('r1', 31, result('r1')), {message: /r1/});
	t.is(state.findRun('r1')?.outcome, 'failed');
	t.throws(() => state.finishRun('r2', 31, result('r2')), {message: /r2/});
});

test('runs are listed newest first, and by what is asked', async t => {
	const state = await open(t);
	for (const [index, target] of ['app/db', 'app/files', 'app/db'].entries()) {
		state.insertRun(queued(`r${index}`, index, target));
	}

	state.finishRun('r0', 5, result('r0'));
	const listed = (options?: Parameters<typeof state.runs>[0]) => state.runs(options).map(({run}) => run);
	t.deepEqual(listed(), ['r2', 'r1', 'r0']);
	t.deepEqual(listed({target: 'app/db'}), ['r2', 'r0']);
	t.deepEqual(listed({target: 'app/db', limit: 1}), ['r2']);
	t.deepEqual(listed({operation: 'backup', outcome: 'success'}), ['r0']);
	t.deepEqual(listed({operation: 'restore'}), []);
	t.deepEqual(listed({target: undefined}), ['r2', 'r1', 'r0']);
});

test('events of a run in their order, the latest progress only', async t => {
	const state = await open(t);
	state.insertRun(queued('r1', 1));
	state.insertRun(queued('r2', 1));
	const progress = (source: string, bytes: number): RunEvent => ({type: 'progress', run: 'r1', target: 'app/db', at: 2, source, bytes});
	for (const event of [step('r1', 'a'), progress('x', 1), progress('y', 1), step('r1', 'b'), progress('x', 2), step('r2', 'c')]) {
		state.appendEvent(event);
	}

	t.deepEqual(state.events('r1'), [step('r1', 'a'), progress('x', 2), progress('y', 1), step('r1', 'b')]);
	t.deepEqual(state.events('r2'), [step('r2', 'c')]);
});

test('events of the last 500 finished runs are kept', async t => {
	const path = await database(t);
	openState(path).close();
	const raw = new DatabaseSync(path);
	raw.exec('begin');
	for (let index = 0; index < 505; index++) {
		raw
			.prepare("insert into runs (run, target, operation, trigger, state, queued_at) values (?, 't', 'backup', 'cli', 'queued', ?)")
			.run(`r${index}`, index);
		raw.prepare("insert into events (run, type, event) values (?, 'step', ?)").run(`r${index}`, JSON.stringify(step(`r${index}`, '')));
	}

	raw.exec("update runs set state = 'finished', finished_at = queued_at where queued_at < 500; commit");
	raw.close();
	const state = openState(path);
	t.teardown(state.close);
	state.finishRun('r500', 500, result('r500'));
	t.deepEqual(state.events('r0'), []);
	t.is(state.events('r1').length, 1);
	state.finishRun('r501', 501, result('r501'));
	t.deepEqual(state.events('r1'), []);
	t.is(state.events('r504').length, 1);
	t.is(state.runs({limit: 1000}).length, 505);
});

test('the journal keeps what is not cleared, oldest first', async t => {
	const path = await database(t);
	const before = openState(path);
	const hook: Undo = {kind: 'hook', containerId: 'h', containerName: 'hook', argv: ['sh', '-c', 'x'], user: 'app', timeoutMs: 30_000};
	const first = before.record('r1', undo);
	const second = before.record('r1', hook);
	const third = before.record('r2', undo);
	before.clear(second);
	before.close();
	const state = openState(path);
	t.teardown(state.close);
	t.deepEqual(state.open(), [
		{id: first, run: 'r1', undo},
		{id: third, run: 'r2', undo},
	]);
	state.clear(third);
	t.true(state.record('r3', hook) > third, 'an id is never used twice');
});

test('restores of a state database of an earlier Holdfast are all there', async t => {
	const path = await database(t);
	const raw = new DatabaseSync(path);
	raw.exec(migrations.slice(0, 5).join(''));
	raw.exec("insert into restores values ('r1', 'app/db', 'p1', 'swapping', '[]', null, 'u1', 'offsite'); pragma user_version = 5");
	raw.close();
	const state = openState(path);
	t.teardown(state.close);
	const record = {
		run: 'r1',
		target: 'app/db',
		point: 'p1',
		phase: 'swapping',
		replacements: [],
		swappedAt: null,
		ran: [],
		settledBy: 'u1',
		unjudged: [],
		keptIn: 'offsite',
	} as const;
	t.deepEqual(state.restores(), [record]);
	state.saveRestore({...record, phase: 'failed'});
	t.is(state.restores()[0]?.phase, 'failed');
});

test('an agent keeps its id, and no two have the same', async t => {
	const path = await database(t);
	const ids = [path, path, await database(t)].map(each => {
		const state = openState(each);
		state.close();
		return state.agentId;
	});
	t.regex(ids[0] ?? '', /^[0-9a-f]{16}$/);
	t.is(ids[0], ids[1]);
	t.not(ids[0], ids[2]);
});

test('a repository is remembered, its location is not written', async t => {
	const path = await database(t);
	const state = openState(path);
	const location = 'rest:https://user:canary-password@host/';
	t.is(state.knownRepository(location), undefined);
	state.rememberRepository(location, 'abc');
	state.rememberRepository(location, 'def');
	t.is(state.knownRepository(location), 'def');
	t.is(state.knownRepository('/other'), undefined);
	state.close();
	t.false((await readFile(path, 'latin1')).includes('canary'));
});

test('a target is first seen once', async t => {
	const state = await open(t);
	t.is(state.firstSeen('app/db', 10), 10);
	t.is(state.firstSeen('app/db', 20), 10);
	t.is(state.firstSeen('app/files', 30), 30);
});

test('the database has a write-ahead log', async t => {
	const path = await database(t);
	openState(path).close();
	const raw = new DatabaseSync(path);
	t.teardown(() => raw.close());
	t.is(raw.prepare('pragma journal_mode').get()?.journal_mode, 'wal');
});

const refused: Array<[title: string, spoil: (path: string) => Promise<void>, cause: RegExp]> = [
	['is no database', path => writeFile(path, 'not a database at all, '.repeat(100)), /not a database/],
	[
		'is damaged',
		async path => {
			const content = await readFile(path);
			await writeFile(path, content.fill(0xff, 5000, content.length - 100));
		},
		/./,
	],
	[
		'is of a newer version',
		async path => {
			const raw = new DatabaseSync(path);
			raw.exec('pragma user_version = 99');
			raw.close();
		},
		/version 99/,
	],
];

for (const [title, spoil, cause] of refused) {
	test(`a state database that ${title} is refused and left as it is`, async t => {
		const path = await database(t);
		const state = openState(path);
		state.record('r1', undo);
		state.close();
		await spoil(path);
		const before = await readFile(path);
		const error = t.throws(() => openState(path));
		t.true(error.message.includes(path));
		t.regex(explain(error), cause);
		t.deepEqual(await readFile(path), before);
	});
}

test('a directory that is missing is named', async t => {
	const path = join(await directory(t), 'missing', 'holdfast.db');
	t.throws(() => openState(path), {message: new RegExp(path)});
	await t.throwsAsync(stat(path));
});

const recorder = `
	import {openState} from ${JSON.stringify(new URL('../../../../agent/state/state.ts', import.meta.url).href)};
	const state = openState(process.argv[1]);
	for (;;) {
		const id = state.record('r1', {kind: 'start', containerId: 'c', containerName: 'n'});
		process.stdout.write(id + '\\n');
		await new Promise(setImmediate);
	}
`;

async function recordUntilKilled(child: ChildProcess, count: number): Promise<number[]> {
	const ids: number[] = [];
	for await (const line of createInterface({input: child.stdout as NodeJS.ReadableStream})) {
		ids.push(Number(line));
		if (ids.length === count) {
			child.kill('SIGKILL');
		}
	}

	return ids;
}

test('what was recorded is there after SIGKILL', async t => {
	const path = await database(t);
	for (const count of [1, 7, 40]) {
		const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', recorder, path], {
			stdio: ['ignore', 'pipe', 'inherit'],
		});
		const exited = once(child, 'exit');
		const ids = await recordUntilKilled(child, count);
		t.deepEqual(await exited, [null, 'SIGKILL']);
		t.true(ids.length >= count);
		const state = openState(path);
		const kept = new Set(state.open().map(({id}) => id));
		state.close();
		t.deepEqual(
			ids.filter(id => !kept.has(id)),
			[],
		);
	}
});

const asked = {who: 'slack:T1/U1', place: 'C1', action: 'backup', subject: 'app/db', decision: 'allowed'} as const;

test('the audit log: what was asked, each reference once, with the outcome of the run that it began', async t => {
	const state = await open(t);
	const id = state.audit.record({...asked, reference: 'once'}) ?? 0;
	t.is(state.audit.record({...asked, reference: 'once'}), undefined);
	state.audit.record({...asked, decision: 'refused', reason: 'no role', subject: 'app/other'});
	state.insertRun({...queued('r1', 10), trigger: 'slack:U1'});
	state.audit.complete(id, {run: 'r1'});
	t.like(state.audit.entries({subject: 'app/db'})[0], {...asked, run: 'r1', outcome: null});
	state.startRun('r1', 20);
	state.finishRun('r1', 30, result('r1', 'partial'));
	t.like(state.audit.entries({subject: 'app/db'}), [{...asked, run: 'r1', outcome: 'partial', reason: null}]);
	t.like(state.audit.entries()[0], {decision: 'refused', reason: 'no role'});
});

test('the audit log shows the runs of the command line and of HTTP; not those of the schedule', async t => {
	const state = await open(t);
	state.insertRun({...queued('r1', 10), trigger: 'cli'});
	state.insertRun({...queued('r2', 20), trigger: 'schedule'});
	t.deepEqual(state.audit.entries(), [
		{
			at: '1970-01-01T00:00:00.010Z',
			who: 'cli',
			place: '',
			action: 'backup',
			subject: 'app/db',
			decision: 'allowed',
			reason: null,
			run: 'r1',
			outcome: null,
		},
	]);
	t.deepEqual(state.audit.entries({limit: 1000, subject: 'app/none'}), []);
});

test('of refusals the newest are kept, and all that was allowed', async t => {
	const path = await database(t);
	openState(path).close();
	const filled = new DatabaseSync(path);
	filled.exec(`insert into audit (at, who, place, action, subject, decision, reference)
		select value, 'w', '', 'a', 's', iif(value = 1, 'allowed', 'refused'), null from (
			with recursive n(value) as (select 1 union all select value + 1 from n where value < 10050) select value from n)`);
	filled.close();
	const state = openState(path);
	t.teardown(state.close);
	for (let round = 0; round < 5; round++) {
		state.audit.record({...asked, decision: 'refused'});
	}

	const counting = new DatabaseSync(path);
	t.teardown(() => counting.close());
	t.deepEqual(
		{...counting.prepare('select decision, count(*) as n from audit group by decision order by 1').all()},
		{
			0: {decision: 'allowed', n: 1},
			1: {decision: 'refused', n: 10_000},
		},
	);
});

test('notes are kept until they are removed', async t => {
	const path = await database(t);
	const state = openState(path);
	state.saveNote('incident shop/db', 'one');
	state.saveNote('incident shop/db', 'two');
	state.saveNote('digest', 'three');
	state.saveNote('digest', null);
	state.close();
	const again = openState(path);
	t.teardown(again.close);
	t.deepEqual(again.notes(), {'incident shop/db': 'two'});
});

test('what the metrics begin with: the last runs, how many there were, and their outages', async t => {
	const state = await open(t);
	const finish = (run: string, at: number, outcome: BackupResult['outcome'], quiesceSeconds = 0, target = 'app/db') => {
		state.insertRun(queued(run, at, target));
		state.startRun(run, at);
		state.finishRun(run, at + 1, {...result(run, outcome), target, quiesceSeconds});
	};
	finish('r1', 1, 'success', 0.5);
	finish('r2', 2, 'success', 1.5);
	finish('r3', 3, 'failed');
	finish('r4', 4, 'failed');
	finish('r5', 5, 'success', 0, 'app/web');
	state.insertRun(queued('r6', 6));
	t.deepEqual(
		state.lastRuns().map(({run}) => run),
		['r5', 'r4', 'r2'],
	);
	t.deepEqual(state.countRuns(), [
		{target: 'app/db', operation: 'backup', outcome: 'failed', count: 2},
		{target: 'app/db', operation: 'backup', outcome: 'success', count: 2},
		{target: 'app/web', operation: 'backup', outcome: 'success', count: 1},
	]);
	t.deepEqual(
		state.quiesced().map(({quiesceSeconds}) => quiesceSeconds),
		[0.5, 1.5],
	);
});

test('the newest run is the one that was asked for last, whatever the clock said then', async t => {
	const state = await open(t);
	const finish = (run: string, at: number, outcome: BackupResult['outcome']) => {
		state.insertRun(queued(run, at));
		state.startRun(run, at);
		state.finishRun(run, at + 1, {...result(run, outcome), target: 'app/db'});
	};
	finish('r1', 10, 'success');
	finish('r2', 90_000, 'success');
	finish('r3', 20, 'success');
	finish('r4', 30, 'failed');
	t.deepEqual(
		state.runs({target: 'app/db'}).map(({run}) => run),
		['r4', 'r3', 'r2', 'r1'],
	);
	t.deepEqual(
		state.lastRuns().map(({run}) => run),
		['r4', 'r3'],
	);
	t.deepEqual(
		state.runs({since: 25}).map(({run}) => run),
		['r4', 'r2'],
	);
});
