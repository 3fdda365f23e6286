import test from 'ava';
import {createCliTest} from '../../../support/doubles/cli.ts';
import {targetView} from '../../../support/doubles/fake-agent.ts';

const day = (day: number) => ({point: `run-${day}`, time: `2026-11-0${day}T03:00:00.000Z`});

test('ls shows what is there, of which point, and how much is left out', async t => {
	const {agent, run} = await createCliTest(t);
	agent.has.targets = [targetView('shop/app')];
	const {code, out, err} = await run('ls shop/app /data --recursive --point 2026-11-21T03:00 --limit 1');
	t.is(code, 0);
	t.regex(out, /^ *SIZE {2}CHANGED +PATH\n *5 B {2}.* \/data\/a\.txt\n$/);
	t.regex(err, /point point-1 of shop\/app/);
	t.regex(err, /2 more are not shown: --limit 3/);
	t.deepEqual(agent.calls, [{list: {target: 'shop/app', path: '/data', recursive: true, point: '2026-11-21T03:00', limit: 1}}]);
	t.like(JSON.parse((await run('ls shop/app --json')).out), {point: 'point-1', more: 2});
});

test('find shows each version and the points that have it; nothing found is exit 1', async t => {
	const {agent, run} = await createCliTest(t);
	const nothing = await run('find *.csv -i');
	t.is(nothing.code, 1);
	t.regex(nothing.err, /no restore point holds \*\.csv/);
	t.deepEqual(agent.calls, [{find: {pattern: '*.csv', ignoreCase: true, limit: 10_000}}]);
	const entry = {source: 'volume:/data', path: '/data/a.csv', type: 'file', size: 5, modified: '2026-11-01T02:00:00Z'};
	agent.has.found = {found: [{target: 'shop/app', ...entry, points: 2, oldest: day(1), newest: day(2)}], isCut: true};
	const {code, out, err} = await run('find a.csv --target shop/app --limit 1');
	t.is(code, 0);
	t.regex(out, /shop\/app {2}\/data\/a\.csv +5 B .* 2 .* run-2\n$/);
	t.regex(err, /more than 1/);
	t.is((await run('find a.csv --limit 0')).code, 2);
});

test('diff says of each source what became of it', async t => {
	const {agent, run} = await createCliTest(t);
	agent.has.differences = [
		{source: 'volume:/data', bytes: {from: 10, to: 12}, added: 2, removed: 0, changed: 1, entries: [{path: '/data/new', change: 'added'}]},
		{source: 'postgres:app', bytes: {from: 5, to: 5}, added: 0, removed: 0, changed: 0, entries: []},
		{source: 'volume:/gone', bytes: {from: 3, to: null}, added: 0, removed: 0, changed: 0, entries: []},
	];
	const {code, out, err} = await run('diff run-1 run-2 --limit 1');
	t.is(code, 0);
	t.is(
		out,
		'volume:/data: 2 added, 1 changed; 10 B → 12 B\n  + /data/new\npostgres:app: the same; 5 B\nvolume:/gone: only in the first, 3 B\n',
	);
	t.regex(err, /2 more are not shown: --limit 3/);
	t.deepEqual(agent.calls, [{diff: {points: ['run-1', 'run-2'], limit: 1}}]);
});

test('a dump goes to the standard output, and to a terminal only where that is asked for', async t => {
	const {agent, run} = await createCliTest(t);
	agent.has.targets = [targetView('shop/app')];
	t.like(await run('dump shop/app /data/a.txt'), {code: 0, out: 'archive'});
	t.deepEqual(agent.calls, [{dump: {target: 'shop/app', path: '/data/a.txt', point: 'latest'}}]);
	t.like(await run('dump shop/app /data/a.txt -o -', {columns: 80}), {code: 0, out: 'archive'});
	t.is((await run('dump shop/app /data/a.txt --json -o -')).code, 2);
});
