/**
 * The agent is itself a service of Swarm that is updated, with the new one started before the old one ends: both have the same state for a while.
 * Lane: waits.
 */
import test from 'ava';
import type {BackupResult} from '../../../base/results.ts';
import type {RunView} from '../../../base/shapes/runs.ts';
import type {Finding, StatusView} from '../../../base/shapes/targets.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {runs, signalProcesses} from '../../support/machine/processes.ts';
import {canStartSecondEngine, startSecondEngine} from '../../support/machine/second-engine.ts';
import {hasVxlan} from '../../support/machine/vxlan.ts';
import {deployStack, idleTask} from '../../support/stack/deploy.ts';
import {until} from '../../support/until.ts';

const image = process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev';
const patience = {timeout: 240_000, interval: 500};

if ((await canStartSecondEngine()) && (await hasVxlan())) {
	test('an update that starts the new agent first ends, also in the middle of a backup, and the new one serves what the old one did', async t => {
		t.timeout(20 * 60_000);
		const app = await ensureImage('holdfast-test/app:latest');
		const engine = await startSecondEngine();
		t.teardown(engine.remove);
		await engine.load([app, image]);
		const {host} = engine;
		const swarm = async (...argv: string[]) => docker(argv, {host, timeout: 300_000});
		await swarm('swarm', 'init', '--advertise-addr', '127.0.0.1');
		await deployStack(engine, 'own', {
			services: {
				agent: {
					image,
					stop_grace_period: '30s',
					environment: {HOLDFAST_SCHEDULE: '0 0 29 2 *', HOLDFAST_API_TOKEN: 'a-token-for-updates'},
					volumes: [`${engine.socket}:/var/run/docker.sock`, 'repository:/repository', 'state:/state', 'cache:/cache'],
					healthcheck: {interval: '5s', timeout: '20s'},
					deploy: {update_config: {order: 'start-first'}},
				},
				app: idleTask(app, {volumes: ['data:/data']}),
			},
			volumes: {repository: {}, state: {}, cache: {}, data: {}},
		});
		const tasksOf = async (service: string) =>
			(await swarm('ps', '--quiet', '--filter', `label=com.docker.swarm.service.name=own_${service}`, '--filter', 'status=running'))
				.split('\n')
				.filter(Boolean);
		const [target, inAgent] = ['own/app', async (...argv: string[]) => swarm('exec', (await tasksOf('agent'))[0] ?? '', ...argv)];
		const well = async () =>
			inAgent('holdfast', 'status').then(
				() => true,
				() => false,
			);
		await until('the agent', well, patience);
		await until('the application', async () => (await tasksOf('app')).length === 1, patience);
		await swarm('exec', (await tasksOf('app'))[0] ?? '', 'sh', '-c', 'echo precious >/data/file');
		const before = (await tasksOf('agent'))[0];

		// Its restic is held in the window until the old agent is told to end
		const isRestic = (argv: readonly string[]) =>
			runs(argv, 'restic') && argv.includes('backup') && argv.some(word => word.includes(target));
		const backup = inAgent('holdfast', 'backup', target).catch(() => {});
		await until('restic to be held', () => signalProcesses('SIGSTOP', isRestic) > 0, {timeout: 60_000, interval: 2});
		await swarm('service', 'update', '--detach', '--force', '--quiet', 'own_agent');
		const updated = async () => (await swarm('service', 'inspect', '--format', '{{.UpdateStatus.State}}', 'own_agent')).trim();
		const beginning = await until(
			'the new one beside the old one',
			async () => {
				const tasks = await tasksOf('agent');
				return tasks.length === 2 ? tasks.find(id => id !== before) : undefined;
			},
			patience,
		);
		const waiting = await until(
			'the new one to say what it waits for',
			async () => (await docker(['logs', beginning as string], {host})).includes('another agent works with the same state'),
			patience,
		);
		t.true(waiting);
		await until('the update to be over', async () => (await updated()) === 'completed', patience);
		signalProcesses('SIGCONT', isRestic);
		await backup;
		t.deepEqual(await tasksOf('agent'), [beginning]);
		await until('the new one to answer', well, patience);
		const paused = await swarm('ps', '--quiet', '--filter', 'status=paused');
		t.is(paused.trim(), '', 'what the old one had paused runs');

		const [last] = JSON.parse(await inAgent('holdfast', 'runs', '--json')) as RunView[];
		t.like(last, {operation: 'backup', state: 'finished', result: {outcome: 'failed'}});
		const next = JSON.parse(await inAgent('holdfast', 'backup', target, '--json')) as BackupResult;
		t.is(next.outcome, 'success', next.error);
		const [status] = JSON.parse(await inAgent('holdfast', 'status', '--json')) as StatusView[];
		t.is(status?.servedBy, undefined, 'its schedule is its own');
		const findings = JSON.parse(await inAgent('holdfast', 'doctor', '--json').catch(error => String(error.stdout))) as Finding[];
		t.deepEqual(
			findings.filter(({message}) => message.includes('agent of this engine')),
			[],
		);
	});
} else {
	test.skip('only root on Debian with a local engine and VXLAN can try this', t => t.pass());
}
