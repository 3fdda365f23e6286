import test from 'ava';
import {createSweeper, leftovers} from '../../../../agent/keep/sweep.ts';
import {RepositoryError} from '../../../../base/errors.ts';
import {bareSnapshot as snapshot} from '../../../support/doubles/snapshot.ts';

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

test('what belongs to no point, what a kill interrupted and what is kept no longer goes in two calls', async t => {
	const calls: Array<readonly string[]> = [];
	const begun = new Set(['begun']);
	const sweeper = createSweeper({
		workshop: {},
		door: {access: () => 'full', learn: () => false},
		withRestic: async (_run: string, work: (restic: unknown) => unknown) =>
			work({
				async forget(ids: readonly string[]) {
					calls.push(ids);
				},
			}),
		state: {
			findRun: (run: string) => ({
				run,
				state: 'finished',
				operation: 'backup',
				result: {sources: [], point: run === 'failed' ? null : run},
			}),
			restores: () => [],
			hosts: () => [],
			forgetting: () => begun,
			rememberForgetting: (ids: readonly string[]) => ids.forEach(id => void begun.add(id)),
			clearForgetting: () => begun.clear(),
		},
	} as unknown as Parameters<typeof createSweeper>[0]);
	const old = {
		id: 'old',
		target: 'shop/web',
		filedAs: 'shop/web',
		agent: 'a',
		host: 'h',
		time: new Date(0),
		manifest: 'm',
		sources: [{source: 'volume:/data', snapshot: 's', bytes: 1}],
	};
	const snapshots = [source('left', 'failed'), source('begun', 'older'), source('s', 'old'), manifest('m', 'old')];
	t.is(await sweeper.sweep({run: 'now', target: 'shop/web', snapshots, points: [old], dismissed: Promise.resolve()}), undefined);
	t.deepEqual(calls, [['left', 'begun', 'm'], ['s']]);
	t.is(begun.size, 0);

	begun.add('gone already');
	await sweeper.sweep({run: 'now', target: 'shop/web', snapshots: [], points: [], dismissed: Promise.resolve()});
	t.is(calls.length, 2);
	t.is(begun.size, 0);
});

test('what shuts it out is looked at when the workers of the run are removed: before, a lock of theirs may be a live one', async t => {
	const did: string[] = [];
	const dismissed = Promise.withResolvers<void>();
	const locks = async () => {
		did.push('locks');
		return [];
	};
	const sweeper = createSweeper({
		workshop: {restic: () => ({locks})},
		door: {access: () => 'full', learn: () => false},
		withRestic: async (_run: string, work: (restic: unknown) => Promise<unknown>) =>
			work({
				async forget() {
					did.push('forget');
					if (!did.includes('locks')) {
						setImmediate(() => {
							did.push('dismissed');
							dismissed.resolve();
						});
						throw new RepositoryError('locked', 'somebody has it');
					}
				},
			}),
		state: {
			findRun: () => undefined,
			restores: () => [],
			hosts: () => [],
			forgetting: () => new Set(['a']),
			rememberForgetting() {},
			clearForgetting() {},
		},
	} as unknown as Parameters<typeof createSweeper>[0]);
	await sweeper.sweep({run: 'now', target: 'shop/web', snapshots: [source('a', 'older')], points: [], dismissed: dismissed.promise});
	t.deepEqual(did, ['forget', 'dismissed', 'locks', 'forget', 'forget']);
});
