/** The agent is killed when a restore has swapped and started: its next life hears what the application says, and puts back what that refuses. Lane: waits. */
import test, {type ExecutionContext} from 'ava';
import type {RestoreResult} from '../../../base/results.ts';
import {ensureImage} from '../../support/images.ts';
import {killAt, striking, untilDead} from '../../support/laws/kills.ts';
import {type Client, connect} from '../../support/stack/connect.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const token = 'a-token-for-the-judgement';

/** Healthy is who finds `good` in its data, after a while; who finds `deadly` does not come up at all. */
async function start(t: ExecutionContext): Promise<{stack: Stack; target: string}> {
	const stack = await startStack(t, {
		volumes: ['data'],
		holdfast: {environment: {HOLDFAST_API_TOKEN: token}},
		services: {
			app: {
				image: await ensureImage('holdfast-test/app:latest'),
				init: true,
				command: ['sh', '-c', 'if grep -qs deadly /data/word; then exit 3; fi; exec sleep infinity'],
				healthcheck: {test: ['CMD', 'grep', '-q', 'good', '/data/word'], interval: '2s', retries: 2},
				volumes: ['data:/data'],
				labels: {'holdfast.enable': 'true'},
			},
		},
	});
	return {stack, target: `${stack.project}/app`};
}

const isHealthy = async ({docker, container}: Stack) =>
	(await docker(['inspect', '--format', '{{.State.Health.Status}}', container('app')])) === 'healthy';

/** The point has one word, what is live another. The agent is killed when the restore starts the application. */
async function killed(t: ExecutionContext, stored: string): Promise<{stack: Stack; agent: Client; result: RestoreResult; run: string}> {
	t.timeout(6 * 60_000);
	const {stack, target} = await start(t);
	const write = async (word: string) => stack.exec('app', 'sh', '-c', `echo ${word} >/data/word`);
	await write(stored);
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	await write('good as before');
	await until('the application is well', async () => isHealthy(stack), {timeout: 60_000});
	let agent = await connect({stack, token});
	const {run} = await agent.call<{run: string}>('restore', {target});
	t.true(await killAt(agent, run, {step: 'start'}, {victim: 'agent', strike: await striking(stack)}));
	await untilDead(stack);
	await stack.docker(['start', stack.container('holdfast')]);
	agent = await connect({stack, token});
	await until('the agent to answer', agent.isReady, {timeout: 60_000, interval: 50});
	const result = await agent.result<RestoreResult>(run);
	await until(
		'all runs to end',
		async () => (await agent.call<Array<{state: string}>>('runs?limit=5')).every(({state}) => state === 'finished'),
		{
			timeout: 120_000,
		},
	);
	return {stack, agent, result, run};
}

const word = async (stack: Stack) => stack.exec('app', 'cat', '/data/word');

for (const stored of ['sick', 'deadly']) {
	test.serial(`what the application refuses (${stored}) is put back, and the run says so`, async t => {
		const {stack, result} = await killed(t, stored);
		t.is(result.outcome, 'failed');
		t.regex(result.error ?? '', /the application is not well on what was restored .*what was there before is put back/);
		await until('the application is well again', async () => isHealthy(stack), {timeout: 60_000});
		t.is(await word(stack), 'good as before');
		t.is(await stack.state('app'), 'running');
	});
}

test.serial('what it takes stays, and can be undone', async t => {
	const {stack, result, run} = await killed(t, 'good as stored');
	t.is(result.outcome, 'success', result.error);
	t.is(result.replaced.length, 1);
	t.is(await word(stack), 'good as stored');
	const {exitCode, stderr} = await stack.holdfast('restore', 'undo', run);
	t.is(exitCode, 0, stderr);
	t.is(await word(stack), 'good as before');
});
