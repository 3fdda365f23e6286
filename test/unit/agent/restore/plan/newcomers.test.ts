import test from 'ava';
import {namesUp, newcomersTo} from '../../../../../agent/restore/plan/newcomers.ts';
import type {Mount} from '../../../../../docker/container.ts';
import {runningContainer} from '../../../../support/doubles/container.ts';

const mount = (volume: string, more: Partial<Mount> = {}): Mount => ({
	type: 'volume',
	volume,
	hostPath: `/volumes/${volume}`,
	path: '/data',
	readWrite: true,
	...more,
});

const app = runningContainer('app', {mounts: [mount('data')]});
const source = {name: 'volume:/data', kind: 'volume', container: app, mount: mount('data'), target: 'shop/app', stored: {} as never};
const stop = [{container: app, action: 'stop' as const, reason: 'the target'}];

const come = (others: ReturnType<typeof runningContainer>[], restoration = {}) =>
	newcomersTo({sources: [source], stop, ...restoration}, namesUp([app]), {containers: [app, ...others], self: 'id-holdfast'});

test('who was started since, and has it in hand, whatever its project', t => {
	const reader = runningContainer('reader', {mounts: [mount('data', {readWrite: false})]});
	const other = runningContainer('other', {mounts: [mount('else')]});
	t.deepEqual(come([reader, other, runningContainer('worker', {mounts: [mount('data')]})]), ['reader', 'worker']);
});

test('not who is stopped anyway, was known, does not run, looks after all, or is ours', t => {
	const mounts = [mount('data')];
	t.deepEqual(come([runningContainer('app', {id: 'made-anew', mounts})]), []);
	t.deepEqual(come([runningContainer('late', {mounts, state: 'exited'})]), []);
	t.deepEqual(come([runningContainer('files', {mounts: [mount('data', {isOfAll: true})]})]), []);
	t.deepEqual(come([runningContainer('w', {mounts, labels: {'holdfast.worker': 'r1'}})]), []);
	t.deepEqual(come([runningContainer('holdfast', {id: 'id-holdfast', mounts})]), []);
});

test('the next task of a service of Swarm is no newcomer', t => {
	const task = (name: string) => runningContainer(name, {mounts: [mount('data')], swarm: {service: 's1', name: 'shop_app'}});
	const surroundings = {containers: [task('shop_app.1.new')], self: undefined};
	t.deepEqual(newcomersTo({sources: [source], stop: []}, namesUp([task('shop_app.1.old')]), surroundings), []);
	t.deepEqual(
		newcomersTo({sources: [source], stop: [{...stop[0], container: task('shop_app.1.old')}] as never}, new Set(), surroundings),
		[],
	);
	t.deepEqual(newcomersTo({sources: [source], stop: []}, new Set(), surroundings), ['shop_app.1.new']);
});

test('where nothing of it is replaced as a whole, nobody is in the way', t => {
	const worker = runningContainer('worker', {mounts: [mount('data')]});
	t.deepEqual(come([worker], {into: 'other'}), []);
	t.deepEqual(come([worker], {sources: [{...source, paths: ['/a']}]}), []);
});
