import test from 'ava';
import {createAbandoned} from '../../../../agent/overview/abandoned.ts';
import type {Notice} from '../../../../base/notices.ts';
import type {SwarmService} from '../../../../docker/stack.ts';
import {scratchState} from '../../../support/doubles/scratch-state.ts';

const minute = 60_000;

test('a service that nobody scales up again is told once by every manager, and so is its end; not while its own agent has it in hand', t => {
	const state = scratchState(t);
	const told: Notice[] = [];
	let now = 0;
	let services: SwarmService[] | undefined;
	const abandoned = createAbandoned({state, notices: {send: notice => told.push(notice)}, now: () => now});
	const look = () => abandoned(services).map(({subject}) => subject);
	t.deepEqual(look(), [], 'no manager');
	const service = (replicas: number, run?: string): SwarmService => ({
		id: 's',
		name: 'shop_app',
		mode: 'replicated',
		replicas,
		running: replicas,
		labels: {},
		scaled: run === undefined ? undefined : {replicas: 3, run, at: 0},
	});
	services = [service(0, 'theirs')];
	now = 29 * minute;
	t.deepEqual(look(), [], 'it may be under way');
	now = 31 * minute;
	t.deepEqual(look(), ['shop_app']);
	look();
	t.deepEqual(
		told.map(({kind, target}) => `${kind} ${target}`),
		['gone shop_app'],
	);
	t.regex(told[0]?.text ?? '', /run theirs scaled this Swarm service from 3 to 0 tasks 31m ago/);
	t.regex(told[0]?.hint ?? '', /docker service scale shop_app=3/);
	services = [service(0)];
	t.deepEqual(look(), [], 'a person, or a deployment, wants it so');
	services = [service(3, 'theirs')];
	look();
	t.deepEqual(
		told.map(({kind}) => kind),
		['gone', 'back'],
	);
	services = [service(0, 'ours')];
	const what = {containerId: 'x', containerName: 'x', service: 's', serviceName: 'shop_app'};
	state.record('ours', {kind: 'scale', ...what, replicas: 3});
	t.deepEqual(look(), [], 'this agent puts it back itself');
});
