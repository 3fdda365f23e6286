import test from 'ava';
import {examineServices} from '../../../../agent/doctor/swarm.ts';
import type {Container} from '../../../../docker/container.ts';
import type {Engine} from '../../../../docker/engine.ts';
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

const found = async (services: SwarmService[], tasks: SwarmTaskState[]) =>
	(
		await examineServices(
			{
				info: async () => ({isManager: true}),
				services: async () => services,
				tasks: async () => tasks,
			} as unknown as Engine,
			here,
			'holdfast.',
		)
	).map(({subject, message}) => `${subject}: ${message}`);

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

test('a node that is no manager has nothing to say', async t => {
	let asked = 0;
	const refused = async (): Promise<never> => {
		asked++;
		throw new Error('This node is not a swarm manager');
	};
	const examine = async (isManager: boolean) =>
		examineServices({info: async () => ({isManager}), services: refused, tasks: refused} as unknown as Engine, here, 'holdfast.');
	t.deepEqual(await examine(false), []);
	t.is(asked, 0, 'it is not asked: a proxy need not let it');
	t.deepEqual(await examine(true), [], 'and where a proxy refuses a manager, it is no failure');
	t.is(asked, 1);
});

test('without a task of Swarm nobody asks for services', async t => {
	let asked = 0;
	const services = async () => {
		asked += 1;
		return [];
	};
	await examineServices(
		{info: async () => ({isManager: true}), services, tasks: async () => []} as unknown as Engine,
		[{id: 'plain'}],
		'holdfast.',
	);
	t.is(asked, 0);
});
