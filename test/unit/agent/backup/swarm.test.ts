import test from 'ava';
import {swarmOf} from '../../../../agent/backup/swarm.ts';
import type {Plan} from '../../../../agent/plan/planned.ts';

const planOf = (...services: Array<string | undefined>) =>
	({sources: services.map(service => ({container: {swarm: service && {service, name: 'shop_app'}}}))}) as unknown as Pick<Plan, 'sources'>;

const engine = (managers: string[]) => ({info: async () => ({managers}) as never});
const since = '1970-01-01T00:00:01.000Z';

test('a point says of which services it is, since when they are here, and in which Swarm', async t => {
	const plan = planOf('b', undefined, 'a', 'b');
	t.deepEqual(await swarmOf(engine(['m']), {plan, hereSince: 1000}), {services: ['a', 'b'], since, managers: ['m']});
	t.is(await swarmOf(engine(['m']), {plan, hereSince: undefined}), undefined);
	t.is(await swarmOf(engine(['m']), {plan: planOf(undefined), hereSince: 1000}), undefined);
});

test('an engine that does not say which Swarm it is of spoils no backup', async t => {
	const away = {
		async info(): Promise<never> {
			throw new Error('away');
		},
	};
	t.deepEqual(await swarmOf(away, {plan: planOf('a'), hereSince: 1000}), {services: ['a'], since});
});
