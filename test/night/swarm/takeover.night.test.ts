/** Two nodes, and one agent: Swarm gives a task to the other node while it is paused here. Lane: waits. */
import test, {type ExecutionContext} from 'ava';
import {docker} from '../../support/docker.ts';
import {runs, signalProcesses} from '../../support/machine/processes.ts';
import {canStartSecondEngine} from '../../support/machine/second-engine.ts';
import {deployStack, hostNetwork, idleTask} from '../../support/stack/deploy.ts';
import {observeBackup} from '../../support/stack/observe.ts';
import {joinNodes} from '../../support/stack/two-nodes.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const patience = {timeout: 240_000, interval: 500};
const target = 'shop/app';

async function start(t: ExecutionContext) {
	t.timeout(20 * 60_000);
	const nodes = await joinNodes(t);
	const {first, app, swarm, running} = nodes;
	const isFor = async (node: string, availability: 'active' | 'drain') => swarm('node', 'update', '--availability', availability, node);
	await isFor('node-b', 'drain');
	await deployStack(first, 'shop', {
		services: {
			app: idleTask(app, {
				stop_grace_period: '2s',
				volumes: ['data:/data'],
				networks: ['host'],
				labels: {'holdfast.enable': 'true', 'holdfast.quiesce': 'pause'},
				deploy: {restart_policy: {condition: 'any', delay: '1s'}},
			}),
		},
		volumes: {data: {}},
		networks: hostNetwork,
	});
	await running(first, 'shop_app');
	const stack = await startStack(t, {services: {}, engine: first, holdfast: {environment: {HOLDFAST_PROJECTS: 'shop'}, restart: 'always'}});
	const inTask = async (engine: {host: string}, script: string) =>
		docker(['exec', await nodes.taskOf(engine as typeof first, 'shop_app'), 'sh', '-c', script], {host: engine.host});
	await inTask(first, 'echo precious >/data/file');
	return {...nodes, stack, isFor, inTask};
}

/** What reads the files in the moment; not what waits to store the manifest. */
const isReader = (argv: readonly string[]) =>
	runs(argv, 'restic') && argv.includes('backup') && argv.some(word => word.includes(`${target}/volume/`));

if (await canStartSecondEngine()) {
	test('another node takes the task while it is paused: no false success, nothing stays paused, and back here it is backed up', async t => {
		const {first, second, stack, isFor, running, taskOf, swarm} = await start(t);
		const paused = async () => (await swarm('ps', '--quiet', '--filter', 'status=paused')).trim();
		await isFor('node-b', 'active');
		const {result} = await observeBackup(stack, target, async event => {
			if (event.type !== 'step' || event.step !== 'quiesce') {
				return;
			}

			await until('restic to be held', () => signalProcesses('SIGSTOP', isReader) > 0, {timeout: 60_000, interval: 2});
			try {
				await isFor('node-a', 'drain');
				await running(second, 'shop_app');
			} finally {
				signalProcesses('SIGCONT', isReader);
			}
		});
		t.is(result.outcome, 'failed', JSON.stringify(result));
		t.is(result.point, null);
		t.log(result.error);
		await until('nothing to be paused', async () => (await paused()) === '', patience);
		await until('the task to be gone here', async () => (await taskOf(first, 'shop_app')) === '', patience);
		t.false((await stack.holdfast('points', target, '--json')).stdout.includes('"point"'));

		// What the other node has is not this one's
		const [elsewhere] = await stack.backup(target).catch(() => []);
		t.not(elsewhere?.outcome, 'success');
		await isFor('node-a', 'active');
		await isFor('node-b', 'drain');
		await running(first, 'shop_app');
		await until('it to be found here', async () => (await stack.holdfast('targets')).stdout.includes(target), patience);
		const [back] = await stack.backup(target);
		t.is(back?.outcome, 'success', back?.error);
		const [source] = back?.sources ?? [];
		t.is((await stack.restic('dump', source?.snapshot ?? '', `/${target}/volume/data/file`)).trim(), 'precious');
	});
} else {
	test.skip('only root on Debian with a local engine can start two others', t => t.pass());
}
