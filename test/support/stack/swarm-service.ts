/** A service of a stack of Docker Swarm, on an engine of its own that may be killed, and an agent beside it that is none of Swarm's. */
import type {ExecutionContext} from 'ava';
import {docker} from '../docker.ts';
import {ensureImage} from '../images.ts';
import {startSecondEngine} from '../machine/second-engine.ts';
import {type Service, startStack} from '../stack.ts';
import {until} from '../until.ts';
import {deployStack, hostNetwork, idleTask} from './deploy.ts';

/** Both files are written one after the other, all the time: of one moment they differ by one at most. */
const writer = `n=$(cat /data/a 2>/dev/null || echo 0); while :; do n=$((n+1)); echo $n >/data/a; echo $n >/data/b; sleep 0.02; done`;

/** @param quiesce a label of the service itself, beside those of its containers */
export async function startSwarmService(
	t: Pick<ExecutionContext, 'teardown'>,
	{quiesce, holdfast = {}}: {quiesce: string; holdfast?: Service},
) {
	const image = await ensureImage('holdfast-test/app:latest');
	const engine = await startSecondEngine();
	t.teardown(engine.remove);
	await engine.load([image, process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev']);
	const {host} = engine;
	const swarm = async (...argv: string[]) => docker(argv, {host});
	await swarm('swarm', 'init', '--advertise-addr', '127.0.0.1');
	const deploy = async (labels: Record<string, string>) =>
		deployStack(engine, 'shop', {
			services: {
				app: idleTask(image, {
					stop_grace_period: '2s',
					command: ['sh', '-c', writer.replaceAll('$', '$$$$')],
					volumes: ['data:/data'],
					networks: ['host'],
					deploy: {replicas: 1, labels, restart_policy: {condition: 'any', delay: '1s'}},
				}),
			},
			volumes: {data: {}},
			networks: hostNetwork,
		});
	await deploy({'holdfast.quiesce': quiesce});

	const task = async () =>
		(await swarm('ps', '--quiet', '--filter', 'label=com.docker.swarm.service.name=shop_app', '--filter', 'status=running')).trim();
	const inTask = async (script: string) => swarm('exec', await task(), 'sh', '-c', script);
	const running = async () =>
		until('the task to run', async () => (await task().catch(() => '')) !== '', {timeout: 120_000, interval: 200});
	await running();
	const stack = await startStack(t, {services: {}, engine, holdfast: {environment: {HOLDFAST_PROJECTS: 'shop'}, ...holdfast}});
	await until('the application to write', async () => (await inTask('cat /data/b || true')) !== '', {timeout: 60_000});
	return {
		target: 'shop/app',
		engine,
		stack,
		swarm,
		/** Anew, with other labels of the service itself. */
		deploy,
		/** Id of the container of the one task that runs; empty: none does. */
		task,
		inTask,
		running,
		replicas: async () => (await swarm('service', 'inspect', '--format', '{{.Spec.Mode.Replicated.Replicas}}', 'shop_app')).trim(),
	};
}
