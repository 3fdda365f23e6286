import test from 'ava';
import {BusyError} from '../../../../base/errors.ts';
import {createCliTest} from '../../../support/doubles/cli.ts';
import {targetView} from '../../../support/doubles/fake-agent.ts';

test('a drill says what it found', async t => {
	const {agent, run} = await createCliTest(t);
	agent.has.targets = [targetView('shop/db')];
	agent.onRun = id => {
		agent.tell(id, {type: 'step', step: 'load', subject: 'volume:/data'});
		agent.finish(id);
	};
	t.deepEqual(await run('drill shop/db --point p1'), {
		code: 0,
		out: 'shop/db: drill of point run-0: success in 9s\n  volume:/data: 3 files\n',
		err: 'shop/db: drill is run run-1\nshop/db: load volume:/data\nshop/db: success in 9s\n',
	});
	t.deepEqual(agent.calls, [{drill: 'shop/db', point: 'p1', trigger: 'cli'}]);
	t.regex((await run('runs run-1')).out, /drill of shop\/db.*\n.*\n.*drill of point run-0: success.*\n {2}volume:\/data: 3 files/);
});

test('every target, and each that is refused counts as failed', async t => {
	const {agent, run} = await createCliTest(t);
	agent.has.targets = [targetView('shop/db'), targetView('shop/app'), targetView('shop/busy')];
	agent.refuses.set('shop/busy', new BusyError('it is busy'));
	agent.onRun = (id, target) =>
		agent.finish(id, target === 'shop/app' ? {outcome: 'failed', error: 'volume:/data: it had 3 files, and 2 were restored'} : {});
	const {code, out} = await run('drill --all --json');
	t.is(code, 1);
	t.deepEqual(
		out
			.trimEnd()
			.split('\n')
			.map(line => {
				const {target, outcome, error = null} = JSON.parse(line) as {target: string; outcome: string; error?: string};
				return [target, outcome, error];
			})
			.sort(),
		[
			['shop/app', 'failed', 'volume:/data: it had 3 files, and 2 were restored'],
			['shop/busy', 'failed', 'it is busy'],
			['shop/db', 'success', null],
		],
	);
	t.is((await run('drill shop/app')).code, 1);
});

test('it takes a target or --all', async t => {
	const {run} = await createCliTest(t);
	t.is((await run('drill')).code, 2);
	t.is((await run('drill shop/db --all')).code, 2);
	t.is((await run('drill --all --point p1')).code, 2);
	t.is((await run('drill nobody')).code, 2);
});
