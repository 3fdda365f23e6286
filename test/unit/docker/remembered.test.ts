import test from 'ava';
import type {Container} from '../../../docker/container.ts';
import type {Engine} from '../../../docker/engine.ts';
import {withRemembered} from '../../../docker/remembered.ts';
import type {JournalEntry, Undo} from '../../../docker/resume.ts';

const service = {service: 's'.repeat(25), name: 'shop_app'};
const task = (id: string, state = 'running') => ({id, name: id, state, swarm: service}) as Container;
const lone = {id: 'lone', name: 'lone', state: 'running'} as Container;

const scaled = (container?: Container): Undo => ({
	kind: 'scale',
	containerId: 'task',
	containerName: 'task',
	service: service.service,
	serviceName: service.name,
	replicas: 1,
	container,
});

const listed = async (containers: Container[], undos: Undo[]) => {
	const open = () => undos.map((undo, id): JournalEntry => ({id, run: 'run', undo}));
	const engine = {list: async () => [...containers]} as unknown as Engine;
	return (await withRemembered(engine, {open}).list()).map(({id, state}) => `${id} ${state}`);
};

test('a service that is scaled to nothing, and whose container Swarm has removed, is as it was, and stopped', async t => {
	t.deepEqual(await listed([lone], [scaled(task('task')), scaled(task('earlier'))]), ['lone running', 'task exited']);
	t.deepEqual(await listed([lone, task('next')], [scaled(task('task'))]), ['lone running', 'next running'], 'one that is there is it');
	t.deepEqual(await listed([lone], [scaled(), {kind: 'start', containerId: 'x', containerName: 'x'}]), ['lone running']);
	t.deepEqual(await listed([lone], []), ['lone running']);
});
