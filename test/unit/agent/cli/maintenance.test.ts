import test from 'ava';
import {createCliTest} from '../../../support/doubles/cli.ts';
import {targetView} from '../../../support/doubles/fake-agent.ts';

test('prune --dry-run shows what goes, what stays and why; nothing is started', async t => {
	const cli = await createCliTest(t);
	cli.agent.has.retentions = [
		{
			target: 'shop/db',
			keep: 'last=1',
			held: null,
			points: [
				{point: 'p2', time: '2026-11-03T09:00:00Z', bytes: 2_000_000, action: 'keep', why: ['last', 'the newest']},
				{point: 'p1', time: '2026-11-02T09:00:00Z', bytes: 2_000_000, action: 'remove', why: ['no rule keeps it']},
			],
		},
		{target: 'shop/app', keep: 'last=1', held: 'its last run ended as failed', points: []},
	];
	const {code, out} = await cli.run('prune --dry-run', {columns: 120});
	t.is(code, 0);
	t.regex(out, /shop\/db +p2 .* keep +last, the newest\n/);
	t.regex(out, /shop\/db +p1 .* remove +no rule keeps it\n/);
	t.regex(out, /shop\/app: nothing is removed: its last run ended as failed\n/);
	t.deepEqual(cli.agent.calls, []);
	const json = await cli.run('prune --dry-run --json');
	t.deepEqual(JSON.parse(json.out), cli.agent.has.retentions);
});

test('prune, check and their results', async t => {
	const cli = await createCliTest(t);
	cli.agent.onRun = id => cli.agent.finish(id);
	const pruned = await cli.run('prune', {columns: 120});
	t.is(pruned.code, 0);
	t.regex(pruned.out, /^repository:primary: prune: success in 2s, one point removed, 9 MB left\n {2}removed run-0 of shop\/db\n$/);
	const checked = await cli.run('check', {columns: 120});
	t.is(checked.out, 'repository:primary: check: success in 2s, data read: 1/13\n');
	await cli.run('check --read-data=2/13 --json');
	await cli.run('check --read-data');
	t.deepEqual(cli.agent.calls, [{prune: 'cli'}, {check: null}, {check: '2/13'}, {check: 'all'}]);
	for (const part of ['0/3', '4/3', '1/257', 'some']) {
		t.is((await cli.run(`check --read-data=${part}`)).code, 2, part);
	}
});

test('a check that finds damage fails', async t => {
	const cli = await createCliTest(t);
	cli.agent.onRun = id => cli.agent.finish(id, {outcome: 'failed', error: 'pack 12 is damaged'});
	const {code, err} = await cli.run('check');
	t.is(code, 1);
	t.regex(err, /failed: pack 12 is damaged/);
});

test('prune --accept clears a target, and only that', async t => {
	const cli = await createCliTest(t);
	cli.agent.has.targets = [targetView('shop/db')];
	t.is((await cli.run('prune --accept shop/db')).code, 0);
	t.deepEqual(cli.agent.calls, [{accept: 'shop/db'}]);
	t.is((await cli.run('prune --accept shop/other')).code, 2);
	t.is((await cli.run('prune --accept shop/db --dry-run')).code, 2);
});

test('unlock tells which locks went and whose the others are', async t => {
	const cli = await createCliTest(t);
	t.regex((await cli.run('unlock')).err, /no locks/);
	const lock = {lock: 'abcdef0123', host: 'holdfast-01', pid: 9, exclusive: true, refreshedAt: '2026-11-03T09:00:00Z', ageSeconds: 90};
	cli.agent.has.unlocked = {
		removed: [{...lock, why: 'run 01 is over'}],
		left: [{...lock, host: 'laptop', why: 'not of this agent'}],
		warning: 'look',
	};
	const {code, out, err} = await cli.run('unlock', {columns: 120});
	t.is(code, 0);
	t.regex(out, /abcdef01 +holdfast-01 +9 +exclusive +1m 30s ago +removed +run 01 is over/);
	t.regex(out, /laptop .* left +not of this agent/);
	t.regex(err, /warning: look/);
});
