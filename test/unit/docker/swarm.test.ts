import test from 'ava';
import {servicesOfManager} from '../../../docker/swarm.ts';

test('who is no manager is not asked for services, for a proxy need not let it; and where one refuses a manager, that is no failure', async t => {
	let asked = 0;
	const engine = {
		async services(): Promise<never> {
			asked++;
			throw new Error('forbidden by the proxy');
		},
	};
	t.is(await servicesOfManager(engine, {isManager: false}), undefined);
	t.is(await servicesOfManager(engine, {}), undefined);
	t.is(asked, 0, 'where there is no Swarm, no call more is made than docs/security.md lists');
	t.is(await servicesOfManager(engine, {isManager: true}), undefined);
	t.is(asked, 1);
});
