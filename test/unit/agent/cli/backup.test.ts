import test from 'ava';
import {RestingError, RunError} from '../../../../base/errors.ts';
import type {Outcome} from '../../../../base/results.ts';
import {createCliTest} from '../../../support/doubles/cli.ts';
import {targetView} from '../../../support/doubles/fake-agent.ts';
import {until} from '../../../support/until.ts';

test('one target, as a person sees it without a terminal', async t => {
	const {agent, run} = await createCliTest(t);
	agent.has.targets = [targetView('shop/db')];
	agent.onRun = id => {
		agent.tell(id, {type: 'step', step: 'store', subject: 'volume:/data'});
		agent.tell(id, {type: 'progress', source: 'volume:/data', bytes: 10, totalBytes: 20});
		agent.tell(id, {type: 'warning', message: 'a replica is stopped'});
		agent.finish(id);
	};
	t.deepEqual(await run('backup shop/db'), {
		code: 0,
		out: 'TARGET   OUTCOME  POINT   TOOK  OUTAGE  SIZE  ADDED\nshop/db  success  run-1  12.3s   300ms  5 MB   1 kB\n',
		err: `\
shop/db: backup is run run-1
shop/db: store volume:/data
shop/db: warning: a replica is stopped
shop/db: success in 12.3s
`,
	});
	t.deepEqual(agent.calls, [{backup: 'shop/db', trigger: 'cli'}]);
});

const matrix: Array<[string, Outcome[], number]> = [
	['success', ['success', 'success'], 0],
	['partial', ['success', 'partial'], 3],
	['failed', ['partial', 'failed', 'success'], 1],
];
for (const [worst, outcomes, expected] of matrix) {
	test(`the worst outcome decides the exit code: ${worst}`, async t => {
		const {agent, run} = await createCliTest(t);
		agent.has.targets = outcomes.map((_, index) => targetView(`shop/${index}`));
		agent.onRun = (id, target) => agent.finish(id, {outcome: outcomes[Number(target.slice(5))] as Outcome});
		const {code, out} = await run('backup --all --json');
		t.is(code, expected);
		const lines = out
			.trimEnd()
			.split('\n')
			.map(line => JSON.parse(line) as {target: string; outcome: Outcome});
		t.deepEqual(lines.map(({outcome}) => outcome).sort(), [...outcomes].sort());
	});
}

test('what is wrong with a source is said once', async t => {
	const {agent, run} = await createCliTest(t);
	agent.has.targets = [targetView('shop/db')];
	const source = {
		source: 'sqlite:/a.db',
		outcome: 'failed' as const,
		snapshot: null,
		bytes: 0,
		addedBytes: 0,
		error: 'is locked; try again',
	};
	agent.onRun = id =>
		agent.finish(id, {outcome: 'partial', sources: [source], error: 'a worker could not be removed; sqlite:/a.db: is locked; try again'});
	const {err} = await run('backup shop/db nobody');
	t.is(err.match(/is locked/g)?.length, 1, err);
	t.regex(err, /shop\/db: partial: a worker could not be removed\n/);
});

test('of all, one that rests is left to rest; where all do, nothing is backed up, and that is no success', async t => {
	const {agent, run} = await createCliTest(t);
	agent.has.targets = [targetView('shop/db'), targetView('shop/app')];
	agent.refuses.set('shop/db', new RestingError('`shop/db` is not backed up: it is stopped'));
	agent.onRun = id => agent.finish(id);
	t.is((await run('backup --all')).code, 0);
	agent.refuses.set('shop/app', new RestingError('`shop/app` is not backed up: it is stopped'));
	const {code, err} = await run('backup --all');
	t.is(code, 3);
	t.regex(err, /shop\/app` is not backed up.*nothing is backed up: all targets rest/s);
});

test('a target that cannot be run counts as failed, and the rest goes on', async t => {
	const {agent, run} = await createCliTest(t);
	agent.has.targets = [targetView('shop/bad'), targetView('shop/db')];
	agent.refuses.set('shop/bad', new RunError('`shop/bad` has problems', {hint: 'mend its labels'}));
	agent.onRun = id => agent.finish(id);
	const {code, out, err} = await run('backup --all --json');
	t.is(code, 1);
	t.regex(err, /shop\/db: success/);
	const [bad, good] = out
		.trimEnd()
		.split('\n')
		.map(line => JSON.parse(line));
	t.deepEqual(bad, {
		run: '',
		target: 'shop/bad',
		outcome: 'failed',
		point: null,
		startedAt: '2026-11-03T12:00:00.000Z',
		durationSeconds: 0,
		quiesceSeconds: 0,
		sources: [],
		error: '`shop/bad` has problems (mend its labels)',
	});
	t.like(good, {target: 'shop/db', outcome: 'success'});

	const people = await run('backup shop/bad nobody shop/db');
	t.is(people.code, 1);
	t.regex(people.err, /shop\/bad: failed: `shop\/bad` has problems \(mend its labels\)\nnobody: failed: there is no target/);
	t.is((await run('backup nobody')).code, 2, 'where no target is known, the usage is wrong');
});

test('wrong usage', async t => {
	const {agent, run} = await createCliTest(t);
	t.like(await run('backup'), {code: 2, err: 'error: `holdfast backup` needs targets, or --all (`holdfast targets` lists them)\n'});
	t.is((await run('backup a --all')).code, 2);
	const none = await run('backup --all');
	t.is(none.code, 1);
	t.regex(none.err, /holdfast\.enable=true/);
	t.deepEqual(agent.calls, []);
});

test('an agent that goes away makes the run failed, not successful', async t => {
	const {agent, start, stopServer} = await createCliTest(t, {goneMs: 1000});
	agent.has.targets = [targetView('shop/db')];
	const {done, out, err} = start(['backup', '--all', '--json']);
	await until('the run', () => err().includes('run-1'));
	await stopServer();
	t.is(await done, 1);
	t.like(JSON.parse(out()), {run: 'run-1', outcome: 'failed', point: null});
	t.regex(out(), /has not answered/);
});

test('Ctrl-C leaves the run to the agent, and says so', async t => {
	const {agent, start} = await createCliTest(t);
	agent.has.targets = [targetView('a/a'), targetView('b/b')];
	agent.onRun = (id, target) => target === 'a/a' && agent.finish(id);
	const interrupt = new AbortController();
	const {done, err} = start(['backup', '--all'], {columns: 80}, {interrupted: interrupt.signal});
	await until('both to be followed', () => err().includes('a/a: success') && agent.followers() === 1);
	interrupt.abort();
	t.is(await done, 130);
	t.regex(err(), /b\/b: run run-2 goes on in the agent; to stop it: holdfast cancel run-2\n$/);
	t.notRegex(err(), /holdfast cancel run-1/);
	t.deepEqual(
		agent.calls.filter(call => 'cancel' in call),
		[],
	);
});

test('more runs than connections at a time', async t => {
	const {agent, run} = await createCliTest(t);
	agent.has.targets = Array.from({length: 40}, (_, index) => targetView(`many/${index}`));
	agent.onRun = id => agent.finish(id);
	const {code, out} = await run('backup --all --json');
	t.is(code, 0);
	t.is(out.trimEnd().split('\n').length, 40);
});
