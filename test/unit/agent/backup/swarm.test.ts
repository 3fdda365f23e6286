import test from 'ava';
import {swarmOf} from '../../../../agent/backup/swarm.ts';
import type {Plan} from '../../../../agent/plan/planned.ts';

/** Each `name=id`; undefined: Swarm has nothing to do with it. */
const tasksOf = (...services: Array<string | undefined>) =>
	services.map(each => {
		const [name, service] = each?.split('=') ?? [];
		return {swarm: each && {service, name}};
	});
const planOf = (...services: Array<string | undefined>) =>
	({sources: tasksOf(...services).map(container => ({container}))}) as unknown as Pick<Plan, 'sources'>;

const engine = (managers: string[], ...services: string[]) => ({
	info: async () => ({managers}) as never,
	list: async () => tasksOf(undefined, ...services) as never,
});
const since = '1970-01-01T00:00:01.000Z';

test('a point says of which services it is, since when they are here, and in which Swarm', async t => {
	const plan = planOf('shop_b=b', undefined, 'shop_a=a', 'shop_b=b');
	t.deepEqual(await swarmOf(engine(['m']), {plan, hereSince: 1000}), {services: ['a', 'b'], since, managers: ['m']});
	t.is(await swarmOf(engine(['m']), {plan, hereSince: undefined}), undefined);
	t.is(await swarmOf(engine(['m']), {plan: planOf(undefined), hereSince: 1000}), undefined);
});

test('what was deployed anew since it was planned is the service that it is now: the newest of its name', async t => {
	const now = engine(['m'], 'other_a=x', 'shop_a=c', 'shop_a=a');
	t.deepEqual(await swarmOf(now, {plan: planOf('shop_b=b', 'shop_a=a'), hereSince: 1000}), {services: ['b', 'c'], since, managers: ['m']});
});

test('an engine that does not say which Swarm it is of spoils no backup', async t => {
	const refuse = async (): Promise<never> => {
		throw new Error('away');
	};
	t.deepEqual(await swarmOf({info: refuse, list: refuse}, {plan: planOf('shop_a=a'), hereSince: 1000}), {services: ['a'], since});
});
