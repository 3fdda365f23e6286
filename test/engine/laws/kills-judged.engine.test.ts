/** The agent is killed when a restore has swapped and started: its next life hears what the application says, and puts back what that refuses. Lane: waits. Turns: kills. */
import test, {type ExecutionContext} from 'ava';
import type {RestoreResult} from '../../../base/results.ts';
import {ensureImage} from '../../support/images.ts';
import {killedRestore} from '../../support/laws/killed-restore.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const token = 'a-token-for-the-judgement';

let stack: Stack;
const teardowns: Array<() => unknown> = [];

/** Healthy is who finds `good` in its data, after a while; who finds `deadly` does not come up at all. */
test.before(async t => {
	t.timeout(5 * 60_000);
	stack = await startStack(
		{teardown: undo => teardowns.push(undo)},
		{
			volumes: ['data'],
			holdfast: {environment: {HOLDFAST_API_TOKEN: token}},
			services: {
				app: {
					image: await ensureImage('holdfast-test/app:latest'),
					init: true,
					command: ['sh', '-c', 'if grep -qs deadly /data/word; then exit 3; fi; exec sleep infinity'],
					healthcheck: {test: ['CMD', 'grep', '-q', 'good', '/data/word'], interval: '2s', retries: 2},
					stop_grace_period: '1s',
					volumes: ['data:/data'],
					labels: {'holdfast.enable': 'true'},
				},
			},
		},
	);
});

test.after.always(async () => {
	for (const undo of teardowns.toReversed()) {
		await undo();
	}
});

const isHealthy = async () =>
	(await stack.docker(['inspect', '--format', '{{.State.Health.Status}}', stack.container('app')])) === 'healthy';

/** The point has one word, what is live another. The agent is killed when the restore starts the application. */
async function killed(t: ExecutionContext, stored: string): Promise<RestoreResult> {
	t.timeout(6 * 60_000);
	const target = `${stack.project}/app`;
	const write = async (word: string) => stack.exec('app', 'sh', '-c', `echo ${word} >/data/word`);
	await write(stored);
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	await write('good as before');
	await until('the application is well', isHealthy, {timeout: 60_000});
	return killedRestore({stack, token, target, step: 'start'});
}

const word = async () => stack.exec('app', 'cat', '/data/word');

for (const stored of ['sick', 'deadly']) {
	test.serial(`what the application refuses (${stored}) is put back, and the run says so`, async t => {
		const result = await killed(t, stored);
		t.is(result.outcome, 'failed');
		t.regex(result.error ?? '', /the application is not well on what was restored .*what was there before is put back/);
		await until('the application is well again', isHealthy, {timeout: 60_000});
		t.is(await word(), 'good as before');
		t.is(await stack.state('app'), 'running');
	});
}

test.serial('what it takes stays, and can be undone', async t => {
	const result = await killed(t, 'good as stored');
	t.is(result.outcome, 'success', result.error);
	t.is(result.replaced.length, 1);
	t.is(await word(), 'good as stored');
	const {exitCode, stderr} = await stack.holdfast('restore', 'undo', result.run);
	t.is(exitCode, 0, stderr);
	t.is(await word(), 'good as before');
});
