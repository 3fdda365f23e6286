import test from 'ava';
import {marksOf} from '../../../../base/acknowledged.ts';
import {type CliTest, createCliTest} from '../../../support/doubles/cli.ts';
import {targetView} from '../../../support/doubles/fake-agent.ts';
import {until} from '../../../support/until.ts';

function withPoint({agent}: CliTest): void {
	agent.has.targets = [targetView('shop/db')];
	agent.has.points = [
		{
			point: 'p1',
			target: 'shop/db',
			time: '2026-11-03T09:00:00Z',
			sources: [{source: 'volume:/data', snapshot: 'x', bytes: 2_000_000}],
			host: 'host',
			agent: 'agent-1',
			own: true,
			verifiedAt: null,
		},
	];
	agent.onRun = id => agent.finish(id, {point: 'p1'});
}

const restores = ({agent}: CliTest) => agent.calls.filter(call => 'restore' in call);

test('it prints the plan, asks for the name, and restores what it showed', async t => {
	const cli = await createCliTest(t);
	withPoint(cli);
	const {code, out, err} = await cli.run('restore shop/db', {columns: 80, input: 'shop/db\n'});
	t.is(code, 0);
	t.regex(
		err,
		/(?:^|\r\u001B\[K)restore shop\/db to 2026-11-03 .* \(3 h ago\), point p1\n {2}replace {2}volume:\/data {2}2 MB\n {2}files {4}volume:\/data: 3 files written, 12 removed; volume "data", mounted by shop-app-1 \(writes, stopped\), else-web-1 \(reads\), too\n {2}stop {5}shop-app-1 meanwhile\nType the target's name to go on \(shop\/db\): /,
	);
	t.is(
		out,
		`shop/db: restore of point p1: success, outage 4s
  replaced, and kept: database metadb
  to put it back: holdfast restore undo run-1; to let it go: holdfast restore finish run-1
`,
	);
	t.like(restores(cli), [{restore: {target: 'shop/db', point: 'p1', only: [], trigger: 'cli'}}]);
	t.like(restores(cli), [{restore: {acknowledged: []}}], 'nothing had to be, and what comes up later was not seen');
});

test('while the plan is made, a terminal says so, and for how long; the line goes when it is there', async t => {
	const cli = await createCliTest(t);
	withPoint(cli);
	const {planRestore} = cli.agent;
	const {promise, resolve} = Promise.withResolvers<void>();
	cli.agent.planRestore = async request => {
		await promise;
		return planRestore(request);
	};
	const {done, out, err} = cli.start(['restore', 'shop/db', '--dry-run'], {columns: 100});
	await until('it says what it does', () => /looking what a restore of shop\/db would do, and nothing is changed: \d/.test(err()));
	t.is(out(), '');
	resolve();
	t.is(await done, 0);
	t.true(err().endsWith('\r\u001B[K'));
	t.regex(out(), /^restore shop\/db to /);
});

test('what must be acknowledged is, once it was shown, or with --yes', async t => {
	const cli = await createCliTest(t);
	withPoint(cli);
	const {planRestore} = cli.agent;
	cli.agent.planRestore = async request => ({...(await planRestore(request)), acknowledge: 'careful', warnings: ['careful']});
	const {err} = await cli.run('restore shop/db', {columns: 80, input: 'shop/db\n'});
	t.regex(err, /careful/);
	await cli.run('restore shop/db --yes');
	t.like(restores(cli), [{restore: {acknowledged: marksOf('careful')}}, {restore: {acknowledged: true}}]);
});

test('what is done to a restore is not called one', async t => {
	const cli = await createCliTest(t);
	withPoint(cli);
	await cli.run('restore shop/db --yes', {columns: 80});
	t.regex((await cli.run('restore undo run-1', {columns: 80})).out, /^shop\/db: undo of the restore of point p1: success/);
	t.regex((await cli.run('restore finish run-1', {columns: 80})).out, /^shop\/db: finish of the restore of point p1: success/);
});

for (const input of ['y\n', 'shop/d\n', '']) {
	test(`nothing is restored on the answer ${JSON.stringify(input)}`, async t => {
		const cli = await createCliTest(t);
		withPoint(cli);
		const {code, err} = await cli.run('restore shop/db', {columns: 80, input});
		t.is(code, 1);
		t.regex(err, /nothing was changed\n$/);
		t.deepEqual(restores(cli), []);
	});
}

test('Ctrl-C at the question changes nothing', async t => {
	const cli = await createCliTest(t);
	withPoint(cli);
	const interrupt = new AbortController();
	const {done, err} = cli.start(['restore', 'shop/db'], {columns: 80}, {interrupted: interrupt.signal});
	await until('the question', () => err().includes("Type the target's name"));
	interrupt.abort();
	t.is(await done, 130);
	t.deepEqual(restores(cli), []);
});

test('where nobody can answer it needs --yes', async t => {
	const cli = await createCliTest(t);
	withPoint(cli);
	const refused = await cli.run('restore shop/db', {input: 'shop/db\n'});
	t.is(refused.code, 2);
	t.regex(refused.err, /--yes/);
	t.deepEqual(cli.agent.calls, []);

	const {code, out} = await cli.run('restore shop/db --point p1 --only volume:/data postgres:x --yes --json');
	t.is(code, 0);
	t.deepEqual(JSON.parse(out), {
		run: 'run-1',
		target: 'shop/db',
		point: 'p1',
		outcome: 'success',
		replaced: ['database metadb'],
		outageSeconds: 4,
	});
	t.like(restores(cli), [{restore: {point: 'p1', only: ['volume:/data', 'postgres:x']}}]);
});

test('a dry run prints the plan as the result', async t => {
	const cli = await createCliTest(t);
	withPoint(cli);
	const {code, out, err} = await cli.run('restore shop/db --dry-run');
	t.is(code, 0);
	t.is(err, '');
	t.regex(out, /replace {2}volume:\/data/);
	t.like(JSON.parse((await cli.run('restore shop/db --dry-run --json')).out), {target: 'shop/db', stop: ['shop-app-1']});
	t.deepEqual(restores(cli), []);
});

test('outcomes and errors become exit codes', async t => {
	const cli = await createCliTest(t);
	withPoint(cli);
	cli.agent.onRun = id => cli.agent.finish(id, {outcome: 'failed', error: 'no space'});
	const {code, err} = await cli.run('restore shop/db --yes');
	t.is(code, 1);
	t.regex(err, /shop\/db: failed: no space\n$/);
	t.is((await cli.run('restore shop/none --yes')).code, 2);
	t.is((await cli.run('restore shop/db --point none --dry-run')).code, 2);
	cli.agent.onRun = id => cli.agent.finish(id, {outcome: 'partial'});
	t.is((await cli.run('restore shop/db --yes')).code, 3);
});

test('a database beside the live ones, of a point of another target', async t => {
	const cli = await createCliTest(t);
	withPoint(cli);
	cli.agent.onRun = id =>
		cli.agent.finish(id, {replaced: [], into: 'two', tolerated: [{source: 'postgres:x', what: 'a comment', count: 2}], outageSeconds: 0});
	const {code, out, err} = await cli.run('restore shop/db --into two --force-target', {columns: 80, input: 'shop/db\n'});
	t.is(code, 0);
	t.regex(err, /\n {2}make {5}database two of volume:\/data {2}2 MB\n/);
	t.regex(out, /\n {2}made: database two\n {2}tolerated in postgres:x, 2 times: a comment\n$/);
	t.like(restores(cli), [{restore: {into: 'two', forceTarget: true}}]);
});
