/** The application's own commands around a restore and its undo: in their turn, whatever happens, and once. Lane: waits. Turns: restore. */
import test from 'ava';
import type {RestoreResult} from '../../../base/results.ts';
import {ensureImage} from '../../support/images.ts';
import {killedRestore} from '../../support/laws/killed-restore.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const token = 'a-token-for-hooks-of-restores';

/** What each hook saw, in a volume that is not restored. One fails where a file of its name asks for it. */
const hook = (name: string) =>
	JSON.stringify([
		'sh',
		'-c',
		`echo "${name} $$(cat /data/word)" >>/log/hooks; if test -e /log/fail-${name}; then echo no >&2; exit 3; fi`,
	]);

let stack: Stack;
let target: string;
const teardowns: Array<() => unknown> = [];

/** Its point has `first`, and it holds `second`. */
test.before(async t => {
	t.timeout(5 * 60_000);
	stack = await startStack(
		{teardown: undo => teardowns.push(undo)},
		{
			volumes: ['data', 'log'],
			holdfast: {environment: {HOLDFAST_API_TOKEN: token}},
			services: {
				app: {
					image: await ensureImage('holdfast-test/app:latest'),
					entrypoint: ['sleep', 'infinity'],
					init: true,
					stop_grace_period: '1s',
					volumes: ['data:/data', 'log:/log'],
					labels: {
						'holdfast.enable': 'true',
						'holdfast.volumes': '/data',
						'holdfast.restore.before': hook('before'),
						'holdfast.restore.after': hook('after'),
					},
				},
			},
		},
	);
	await stack.exec('app', 'sh', '-c', 'echo first >/data/word');
	target = `${stack.project}/app`;
	const [result] = await stack.backup(target);
	if (result?.outcome !== 'success') {
		throw new Error(result?.error);
	}

	await stack.exec('app', 'sh', '-c', 'echo second >/data/word');
});

test.after.always(async () => {
	for (const undo of teardowns.toReversed()) {
		await undo();
	}
});

const word = async () => stack.exec('app', 'cat', '/data/word');

/** What the hooks saw since it was asked last. */
const seen = async () => (await stack.exec('app', 'sh', '-c', 'cat /log/hooks 2>/dev/null; rm -f /log/hooks')).split('\n');

const startedAt = async () => stack.docker(['inspect', '--format', '{{.State.StartedAt}}', stack.container('app')]);

test.serial('they run around the stop, in an undo too; one that fails is heard', async t => {
	t.timeout(6 * 60_000);
	t.regex((await stack.holdfast('restore', target, '--dry-run')).stdout, /before +sh in .*\n +after +sh in /);
	const restored = await stack.restore(target);
	t.is(restored.outcome, 'success', restored.error);
	t.deepEqual(await seen(), ['before second', 'after first']);
	const undone = JSON.parse((await stack.holdfast('restore', 'undo', restored.run, '--json')).stdout) as RestoreResult;
	t.is(undone.outcome, 'success', undone.error);
	t.deepEqual(await seen(), ['before first', 'after second']);

	await stack.exec('app', 'touch', '/log/fail-before');
	const started = await startedAt();
	const refused = await stack.restore(target);
	t.is(refused.outcome, 'failed');
	t.regex(refused.error ?? '', /hook `restore\.before` \(`sh`\) in container .* failed: exit code 3: no/);
	t.is(await word(), 'second', 'nothing is restored');
	t.is(await startedAt(), started, 'nobody was stopped');
	t.deepEqual(await seen(), ['before second', 'after second'], 'what the failed one may have done is put back');
	t.deepEqual(refused.replaced, []);

	await stack.exec('app', 'sh', '-c', 'rm /log/fail-before; touch /log/fail-after');
	const partial = await stack.restore(target);
	t.is(partial.outcome, 'partial');
	t.regex(partial.error ?? '', /hook `restore\.after`/);
	t.is(await word(), 'first', 'what is restored stays');
	await stack.exec('app', 'rm', '/log/fail-after');
	t.is((await stack.holdfast('restore', 'undo', partial.run)).exitCode, 0);
	t.is(await word(), 'second');

	await stack.docker(['stop', '--time', '1', stack.container('app')]);
	const resting = await stack.holdfast('restore', target, '--dry-run');
	t.regex(resting.stdout, /hook `restore\.before` is not run: container .* is exited/);
	await stack.docker(['start', stack.container('app')]);
});

for (const step of ['stop', 'swap', 'start'] as const) {
	test.serial(`killed at ${step}: what belongs after is run by the next life, once`, async t => {
		t.timeout(5 * 60_000);
		await seen();
		const {run} = await killedRestore({stack, token, target, step});
		await until('the application to run', async () => (await stack.state('app')) === 'running', {timeout: 60_000});
		await until(
			'the hook to have run',
			async () => (await stack.exec('app', 'grep', '-c', 'after', '/log/hooks').catch(() => '0')) !== '0',
			{
				timeout: 60_000,
			},
		);
		const found = await word();
		t.true(['first', 'second'].includes(found));
		const hooks = await seen();
		t.is(hooks[0], 'before second');
		t.is(hooks.length, 2, hooks.join());
		t.regex(hooks[1] ?? '', /^after/);
		if (found === 'first') {
			t.is((await stack.holdfast('restore', 'undo', run)).exitCode, 0);
		}

		t.is(await word(), 'second');
	});
}
