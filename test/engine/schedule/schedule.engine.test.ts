/** The schedule of the real agent: a due run happens by itself, and one that was missed is made up after the start. Lane: waits. Turns: surfaces. */
import test from 'ava';
import type {RunView} from '../../../base/shapes/runs.ts';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const dayMs = 24 * 3600 * 1000;

const app = async (schedule: string) => ({
	image: await ensureImage('debian:trixie-slim'),
	command: ['sh', '-c', 'echo kept >/data/file; exec sleep 3600'],
	init: true,
	stop_grace_period: '1s',
	volumes: ['data:/data'],
	labels: {'holdfast.enable': 'true', 'holdfast.schedule': schedule},
});

const runs = async (stack: Stack) =>
	(JSON.parse((await stack.holdfast('runs', '--json')).stdout) as RunView[]).filter(({operation}) => operation === 'backup');

const oneScheduledRun = async (stack: Stack, timeout: number): Promise<RunView> =>
	until(
		'a scheduled run has succeeded',
		async () => (await runs(stack)).find(({trigger, outcome}) => trigger === 'schedule' && outcome === 'success'),
		{
			timeout,
			interval: 2000,
		},
	);

test('a run happens when it is due', async t => {
	const stack = await startStack(t, {services: {app: await app('* * * * *')}, volumes: ['data']});
	const {startedAt, target} = await oneScheduledRun(stack, 100_000);
	t.is(target, `${stack.project}/app`);
	t.true(new Date(startedAt).getUTCSeconds() < 20, `due at the full minute, begun at ${startedAt}`);
});

/** Runs in Holdfast's own image on the agent's state, while the agent is away. */
const pretendSeen = `
	const database = new (require('node:sqlite').DatabaseSync)('/state/holdfast.db');
	database.prepare('update targets set first_seen = ?').run(Date.now() - ${2 * dayMs});
	database.close();`;

test('a run that was missed while the agent was away is made up, once', async t => {
	const stack = await startStack(t, {services: {app: await app('@daily')}, volumes: ['data']});
	t.deepEqual(await runs(stack), []);
	await stack.compose('stop', 'holdfast');
	await stack.compose('run', '--rm', '--no-deps', '--entrypoint', 'node', 'holdfast', '-e', pretendSeen);
	await stack.compose('start', 'holdfast');
	await stack.ready();
	await oneScheduledRun(stack, 60_000);
	await stack.compose('restart', 'holdfast');
	await stack.ready();
	const [next] = JSON.parse((await stack.holdfast('status', '--json')).stdout) as Array<{nextRun: string}>;
	t.true(new Date(next?.nextRun ?? 0).getTime() > Date.now());
	t.is((await runs(stack)).length, 1);
});

test('a run that has waited for its turn backs up what is there then', async t => {
	const slow = await app('0 0 29 2 *');
	const stack = await startStack(t, {
		holdfast: {environment: {HOLDFAST_CONCURRENCY: '1'}},
		services: {
			slow: {...slow, labels: {...slow.labels, 'holdfast.before': 'sleep 8'}},
			app: {...slow, volumes: ['other:/data']},
		},
		volumes: ['data', 'other'],
	});
	const backups = stack.backup(`${stack.project}/slow`, `${stack.project}/app`);
	await until('both to be accepted', async () => (await runs(stack)).length === 2);
	await stack.compose('up', '--detach', '--force-recreate', '--no-deps', 'app');
	for (const {target, outcome, error} of await backups) {
		t.is(outcome, 'success', `${target}: ${error}`);
	}
});
