/** The application's own commands around a restore and its undo: in their turn, whatever happens, and once. Lane: waits. */
import test from 'ava';
import type {RestoreResult} from '../../../base/results.ts';
import {ensureImage} from '../../support/images.ts';
import {striking, untilDead} from '../../support/laws/kills.ts';
import {connect} from '../../support/stack/connect.ts';
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

const scene = async (t: Parameters<typeof startStack>[0]): Promise<{stack: Stack; target: string}> => {
	const stack = await startStack(t, {
		volumes: ['data', 'log'],
		holdfast: {environment: {HOLDFAST_API_TOKEN: token}},
		services: {
			app: {
				image: await ensureImage('holdfast-test/app:latest'),
				entrypoint: ['sleep', 'infinity'],
				init: true,
				volumes: ['data:/data', 'log:/log'],
				labels: {
					'holdfast.enable': 'true',
					'holdfast.volumes': '/data',
					'holdfast.restore.before': hook('before'),
					'holdfast.restore.after': hook('after'),
				},
			},
		},
	});
	await stack.exec('app', 'sh', '-c', 'echo first >/data/word');
	const target = `${stack.project}/app`;
	const [result] = await stack.backup(target);
	if (result?.outcome !== 'success') {
		throw new Error(result?.error);
	}

	await stack.exec('app', 'sh', '-c', 'echo second >/data/word');
	return {stack, target};
};

const word = async (stack: Stack) => stack.exec('app', 'cat', '/data/word');

/** What the hooks saw since it was asked last. */
const seen = async (stack: Stack) => (await stack.exec('app', 'sh', '-c', 'cat /log/hooks 2>/dev/null; rm -f /log/hooks')).split('\n');

const startedAt = async (stack: Stack) => stack.docker(['inspect', '--format', '{{.State.StartedAt}}', stack.container('app')]);

test('they run around the stop, in an undo too; one that fails is heard', async t => {
	t.timeout(6 * 60_000);
	const {stack, target} = await scene(t);
	t.regex((await stack.holdfast('restore', target, '--dry-run')).stdout, /before +sh in .*\n +after +sh in /);
	const restored = await stack.restore(target);
	t.is(restored.outcome, 'success', restored.error);
	t.deepEqual(await seen(stack), ['before second', 'after first']);
	const undone = JSON.parse((await stack.holdfast('restore', 'undo', restored.run, '--json')).stdout) as RestoreResult;
	t.is(undone.outcome, 'success', undone.error);
	t.deepEqual(await seen(stack), ['before first', 'after second']);

	await stack.exec('app', 'touch', '/log/fail-before');
	const started = await startedAt(stack);
	const refused = await stack.restore(target);
	t.is(refused.outcome, 'failed');
	t.regex(refused.error ?? '', /hook `restore\.before` \(`sh`\) in container .* failed: exit code 3: no/);
	t.is(await word(stack), 'second', 'nothing is restored');
	t.is(await startedAt(stack), started, 'nobody was stopped');
	t.deepEqual(await seen(stack), ['before second', 'after second'], 'what the failed one may have done is put back');
	t.deepEqual(refused.replaced, []);

	await stack.exec('app', 'sh', '-c', 'rm /log/fail-before; touch /log/fail-after');
	const partial = await stack.restore(target);
	t.is(partial.outcome, 'partial');
	t.regex(partial.error ?? '', /hook `restore\.after`/);
	t.is(await word(stack), 'first', 'what is restored stays');
	await stack.exec('app', 'rm', '/log/fail-after');
	t.is((await stack.holdfast('restore', 'undo', partial.run)).exitCode, 0);
	t.is(await word(stack), 'second');

	await stack.docker(['stop', '--time', '1', stack.container('app')]);
	const resting = await stack.holdfast('restore', target, '--dry-run');
	t.regex(resting.stdout, /hook `restore\.before` is not run: container .* is exited/);
});

for (const step of ['stop', 'swap', 'start'] as const) {
	test(`killed at ${step}: what belongs after is run by the next life, once`, async t => {
		t.timeout(5 * 60_000);
		const {stack, target} = await scene(t);
		const agent = await connect({stack, token});
		const strike = await striking(stack);
		const {run = ''} = await agent.call<{run?: string}>('restore', {target});
		for await (const event of agent.follow(run)) {
			if (event.type === 'step' && event.step === step) {
				await strike(run);
				break;
			}
		}

		await untilDead(stack);
		await stack.docker(['start', stack.container('holdfast')]);
		await stack.ready();
		const next = await connect({stack, token});
		await next.result<RestoreResult>(run);
		await until('the application to run', async () => (await stack.state('app')) === 'running', {timeout: 60_000});
		const isOver = async () => (await next.call<Array<{state: string}>>('runs?limit=10')).every(({state}) => state === 'finished');
		await until('the last run to end', isOver, {timeout: 120_000});
		await until(
			'the hook to have run',
			async () => (await stack.exec('app', 'grep', '-c', 'after', '/log/hooks').catch(() => '0')) !== '0',
			{
				timeout: 60_000,
			},
		);
		const found = await word(stack);
		t.true(['first', 'second'].includes(found));
		const hooks = await seen(stack);
		t.is(hooks[0], 'before second');
		t.is(hooks.length, 2, hooks.join());
		t.regex(hooks[1] ?? '', /^after/);
	});
}
