/** What a restore replaced comes back with one command, or is let go with one. (What is killed in the middle: test/e2e/restore-kills.) */
import test from 'ava';
import type {RestoreResult} from '../../agent/events.ts';
import {docker} from '../support/docker.ts';
import {ensureImage} from '../support/images.ts';
import {allOf, startShop} from '../support/shop.ts';
import {type Stack, startStack} from '../support/stack.ts';
import {until} from '../support/until.ts';

async function settle(stack: Stack, verb: 'undo' | 'finish', run: string): Promise<RestoreResult> {
	const {stdout, stderr} = await stack.holdfast('restore', verb, run, '--json');
	return JSON.parse(stdout || `{"outcome": "failed", "error": ${JSON.stringify(stderr)}}`) as RestoreResult;
}

test.serial('undo puts back what was replaced, finish lets it go', async t => {
	const {stack, target, read, write, kept} = await startShop(t);
	await write('first');
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	await write('second');

	const restored = await stack.restore(target);
	t.is(restored.outcome, 'success', restored.error);
	t.is(restored.replaced.length, 4);
	t.is(await read(), allOf('first'));

	const undone = await settle(stack, 'undo', restored.run);
	t.is(undone.outcome, 'success', undone.error);
	t.is(await read(), allOf('second'));
	t.deepEqual(await kept(), []);
	t.is((await stack.holdfast('restore', 'undo', restored.run)).exitCode, 2);

	const again = await stack.restore(target);
	t.is(again.outcome, 'success', again.error);
	t.not((await kept()).length, 0);
	const finished = await settle(stack, 'finish', again.run);
	t.is(finished.outcome, 'success', finished.error);
	t.deepEqual(await kept(), []);
	t.is(await read(), allOf('first'));
	t.is((await stack.holdfast('restore', 'finish', again.run)).exitCode, 2);
	t.is(await stack.state('app'), 'running');
	const [next] = await stack.backup(target);
	t.is(next?.outcome, 'success', next?.error);
	t.is(await stack.restic('snapshots', '--json', '--tag', 'holdfast-safety'), '[]', 'safety snapshots are swept when nobody can need them');
});

test.serial('an application that is not well on what was restored has its own data back by itself', async t => {
	t.timeout(10 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	const stack = await startStack(t, {
		volumes: ['data'],
		services: {
			app: {
				image,
				command: ['sleep', 'infinity'],
				init: true,
				volumes: ['data:/data'],
				healthcheck: {test: ['CMD', 'sh', '-c', '! grep -q bad /data/word'], interval: '1s', retries: 2},
				labels: {'holdfast.enable': 'true'},
			},
		},
	});
	const health = async () => docker(['inspect', '--format', '{{.State.Health.Status}}', stack.container('app')]);
	const put = async (word: string) => stack.exec('app', 'sh', '-ec', `echo ${word} >/data/word`);
	await put('bad');
	const [backup] = await stack.backup(`${stack.project}/app`);
	t.is(backup?.outcome, 'success', backup?.error);
	await put('good');
	await until('the application is healthy', async () => (await health()) === 'healthy', {timeout: 60_000});
	const result = await stack.restore(`${stack.project}/app`);
	t.is(result.outcome, 'failed');
	t.regex(result.error ?? '', /what was there before is back.*unhealthy/);
	t.is(await stack.exec('app', 'cat', '/data/word'), 'good');
	await until('the application is healthy again', async () => (await health()) === 'healthy', {timeout: 60_000});
	t.is((await stack.holdfast('restore', 'undo', result.run)).exitCode, 2);
});
