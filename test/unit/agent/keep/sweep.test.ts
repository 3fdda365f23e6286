import test from 'ava';
import {leftovers} from '../../../../agent/keep/sweep.ts';

const snapshot = (id: string, ...tags: string[]) => ({
	id,
	tags,
	time: new Date(0),
	tree: '',
	host: 'host',
	paths: [],
	bytes: 0,
	addedBytes: 0,
});
const source = (id: string, run: string, target = 'shop/web') =>
	snapshot(id, 'holdfast', `run:${run}`, `target:${target}`, 'source:volume:/data');
const manifest = (id: string, run: string, target = 'shop/web') => snapshot(id, 'holdfast', `run:${run}`, `target:${target}`, 'manifest:1');

const known = {
	target: 'shop/web',
	isOver: (run: string) => ['failed', 'good'].includes(run),
	isWithoutPoint: (run: string) => run === 'failed',
	isKept: (id: string) => id === 'kept',
};

test('what a failed run of this target had stored is left over', t => {
	t.deepEqual(leftovers([source('a', 'failed'), source('b', 'failed')], known), ['a', 'b']);
});

test('nothing of a run that made a point, is under way, or is not ours', t => {
	t.deepEqual(leftovers([source('a', 'good'), manifest('b', 'good'), source('c', 'running'), source('d', 'foreign')], known), []);
});

test('nothing of another target', t => {
	t.deepEqual(leftovers([source('a', 'failed', 'shop/db')], known), []);
});

test('nothing of a run that has a manifest, though its record says that it failed', t => {
	t.deepEqual(leftovers([source('a', 'failed'), manifest('b', 'failed')], known), []);
});

test('first passes of every run that ended, and of no other', t => {
	const firstPass = (id: string, run: string) => snapshot(id, 'holdfast-first-pass', `run:${run}`);
	t.deepEqual(leftovers([firstPass('a', 'good'), firstPass('b', 'failed'), firstPass('c', 'running')], known), ['a', 'b']);
});

test("a plain restic user's own snapshots", t => {
	t.deepEqual(leftovers([snapshot('a'), snapshot('b', 'run:failed'), snapshot('c', 'holdfast', 'target:shop/web')], known), []);
});

test('safety snapshots that no restore can be undone with any more, whatever their target', t => {
	const safety = (id: string, run: string) => snapshot(id, 'holdfast-safety', `run:${run}`, 'target:shop/db', 'source:volume:/data');
	const snapshots = [safety('a', 'failed'), safety('kept', 'failed'), safety('b', 'running'), safety('c', 'foreign')];
	t.deepEqual(leftovers(snapshots, known), ['a']);
});
