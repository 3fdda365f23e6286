import test from 'ava';
import {createCliTest} from '../../../support/doubles/cli.ts';

test('every copy, as a person sees it', async t => {
	const {agent, run} = await createCliTest(t);
	agent.has.copies = ['nas', 'offsite'];
	agent.onRun = (id, target) =>
		agent.finish(id, target.endsWith('nas') ? {} : {outcome: 'failed', copied: 0, points: null, error: 'it cannot be reached'});
	const {code, out, err} = await run('copy');
	t.is(code, 1);
	t.is(
		out,
		'COPY     OUTCOME  COPIED  REMOVED  POINTS   TOOK\nnas      success       2        1       7  12.3s\noffsite  failed        0        1       -  12.3s\n',
	);
	t.regex(err, /^offsite: failed: it cannot be reached$/m);
	t.deepEqual(agent.calls, [
		{copy: 'nas', trigger: 'cli'},
		{copy: 'offsite', trigger: 'cli'},
	]);
});

test('one copy by its name; one that is not configured is wrong usage', async t => {
	const {agent, run} = await createCliTest(t);
	agent.has.copies = ['nas'];
	agent.onRun = id => agent.finish(id);
	const {code, out} = await run('copy nas --json');
	t.is(code, 0);
	t.like(JSON.parse(out), {target: 'repository:nas', outcome: 'success', copied: 2, points: 7});
	const unknown = await run('copy usb');
	t.is(unknown.code, 2);
	t.regex(unknown.err, /there is no copy `usb`/);
});

test('without any copy it says how to have one', async t => {
	const {run} = await createCliTest(t);
	t.like(await run('copy'), {code: 1, out: '', err: 'error: no copy is configured (docs/copies.md says how)\n'});
});
