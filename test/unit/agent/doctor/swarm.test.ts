import test from 'ava';
import {examineServices} from '../../../../agent/doctor/swarm.ts';
import type {Container} from '../../../../docker/container.ts';
import type {SwarmService, SwarmTaskState} from '../../../../docker/stack.ts';

const service = (labels: Record<string, string>, taskLabels: Record<string, string> = {}): SwarmService => ({
	id: 'service',
	name: 'shop_db',
	mode: 'replicated',
	replicas: 2,
	running: 2,
	labels,
	taskLabels,
});

const task = (container: string | undefined, state = 'running'): SwarmTaskState => ({state, since: 0, container});

const here = [{id: 'here', swarm: {service: 'service', name: 'shop_db'}}] as unknown as Container[];

const found = async (services: readonly SwarmService[] | undefined, tasks: SwarmTaskState[], containers = here) =>
	(await examineServices({tasks: async () => tasks}, {services, containers}, 'holdfast.')).map(
		({subject, message}) => `${subject}: ${message}`,
	);

test('a service that only managers know to be enabled, with tasks elsewhere', async t => {
	const asking = service({'holdfast.enable': 'true'});
	const [said, ...more] = await found([asking], [task('here'), task('there'), task('gone', 'shutdown'), task(undefined)]);
	t.deepEqual(more, []);
	t.regex(said ?? '', /^shop_db: .*`deploy\.labels` alone.*1 of its running tasks is on another node/);
	t.deepEqual(await found([asking], [task('here')]), []);
});

test('where each node sees it, or nobody asked, nothing is said', async t => {
	t.deepEqual(await found([service({'holdfast.enable': 'true'}, {'holdfast.enable': 'true'})], [task('there')]), []);
	t.deepEqual(await found([service({})], [task('there')]), []);
});

test('a node that is no manager, or that has no task of Swarm, has nothing to say', async t => {
	t.deepEqual(await found(undefined, [task('there')]), []);
	const plain = [{id: 'plain'}] as unknown as Container[];
	t.deepEqual(await found([service({'holdfast.enable': 'true'})], [task('there')], plain), []);
});
