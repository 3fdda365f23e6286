import test from 'ava';
import {discoverTargets} from '../../../agent/targets/discovery.ts';
import {type Container, containerFromList} from '../../../docker/container.ts';
import type {SwarmService} from '../../../docker/stack.ts';
import {currentTasks, whyNotStopped, whyUncertain} from '../../../docker/tasks.ts';

const service = 's'.repeat(25);

const listed = (Id: string, State: string, Created: number, labels: Record<string, string> = {}): Container =>
	containerFromList({
		Id,
		Names: [`/shop_app.1.${Id}`],
		Image: 'app',
		ImageID: 'sha256:1',
		State,
		Created,
		Labels: {
			'com.docker.stack.namespace': 'shop',
			'com.docker.swarm.service.id': service,
			'com.docker.swarm.service.name': 'shop_app',
			'com.docker.swarm.task.id': 't'.repeat(25),
			...labels,
		},
	});

const known = (mode: SwarmService['mode']): SwarmService => ({
	id: service,
	name: 'shop_app',
	mode,
	replicas: 1,
	running: 1,
	labels: {'holdfast.enable': 'true', 'holdfast.keep': 'last=3'},
});

test('a stack is what a project is in Compose', t => {
	t.like(listed('a', 'running', 1), {project: 'shop', service: 'app', swarm: {service, name: 'shop_app'}});
	t.like(listed('a', 'running', 1, {'com.docker.stack.namespace': 'sh op'}), {project: undefined, swarm: {name: 'shop_app'}});
	t.is(listed('a', 'running', 1, {'com.docker.swarm.service.id': '../x'}).swarm, undefined);
});

test('of the containers of tasks that are over one is enough, the newest, and none where another is up', t => {
	const ids = (...containers: Container[]) => currentTasks(containers, undefined).map(({id}) => id);
	t.deepEqual(ids(listed('old', 'exited', 1), listed('new', 'running', 2), listed('newer', 'exited', 3)), ['new']);
	t.deepEqual(ids(listed('old', 'exited', 1), listed('newer', 'exited', 3), listed('new', 'dead', 2)), ['newer']);
	t.deepEqual(ids(listed('one', 'running', 1), listed('two', 'paused', 2)), ['one', 'two']);
	const plain = containerFromList({Id: 'p', Names: ['/p'], Image: 'a', ImageID: 'i', State: 'exited', Created: 1, Labels: {}});
	t.deepEqual(ids(plain, listed('new', 'running', 2)), ['p', 'new']);
});

test('labels of the service are its tasks’, which have the last word', t => {
	const [task] = currentTasks([listed('a', 'running', 1, {'holdfast.keep': 'last=9'})], [known('replicated')]);
	t.like(task?.labels, {'holdfast.enable': 'true', 'holdfast.keep': 'last=9'});
	t.is(task && whyNotStopped(task), undefined);
});

test('what cannot be stopped says why', t => {
	const [everywhere] = currentTasks([listed('a', 'running', 1)], [known('global')]);
	t.regex((everywhere && whyNotStopped(everywhere)) ?? '', /is global/);
	t.regex(whyNotStopped(listed('a', 'running', 1)) ?? '', /only a manager/);
});

test('a service that runs on another node is not found where it was; one that is scaled to nothing, or on its way, is', t => {
	const ids = (told: Partial<SwarmService>) =>
		currentTasks([listed('over', 'exited', 1)], [{...known('replicated'), ...told}]).map(({id}) => id);
	t.deepEqual(ids({replicas: 1, running: 1}), []);
	t.deepEqual(ids({replicas: 0, running: 0}), ['over']);
	t.deepEqual(ids({replicas: 1, running: 0}), ['over']);
	t.deepEqual(ids({replicas: 3, running: 2}), ['over']);
	t.deepEqual(ids({mode: 'global', replicas: 0, running: 2}), ['over']);
	t.deepEqual(
		currentTasks([listed('here', 'running', 1)], [known('replicated')]).map(({id}) => id),
		['here'],
	);
});

test('on a node that is no manager a task that is over may have moved: that is said', t => {
	const [over, up] = [listed('a', 'exited', 1), listed('a', 'paused', 1)];
	t.regex(whyUncertain(over)?.message ?? '', /`shop_app` on this node is over, and only a manager knows/);
	t.regex(whyUncertain(over)?.hint ?? '', /docker container rm shop_app\.1\.a/);
	t.is(whyUncertain(up), undefined);
	t.is(whyUncertain({...over, swarm: {service, name: 'shop_app', mode: 'replicated'}}), undefined);
	t.deepEqual(discoverTargets([{...over, labels: {'holdfast.enable': 'true'}}]).flatMap(({problems}) => problems).length, 1);
});
