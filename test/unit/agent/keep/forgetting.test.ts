import test from 'ava';
import {finishForgetting, forgetPoints, withoutPoint} from '../../../../agent/keep/forgetting.ts';
import {bareSnapshot as snapshot} from '../../../support/doubles/snapshot.ts';

const source = (id: string, run: string) => snapshot(id, 'holdfast', `run:${run}`, 'target:a', 'source:volume:/data');
const manifest = (id: string, run: string) => snapshot(id, 'holdfast', `run:${run}`, 'target:a', 'manifest:1');

function setUp() {
	const journal = new Set<string>();
	const calls: Array<readonly string[]> = [];
	return {
		calls,
		journal: {
			rememberForgetting(ids: readonly string[]) {
				calls.push(['remember', ...ids]);
				for (const id of ids) {
					journal.add(id);
				}
			},
			forgetting: () => journal,
			clearForgetting: () => journal.clear(),
		},
		restic: {
			async forget(ids: readonly string[]) {
				calls.push(ids);
			},
		},
	};
}

const point = (run: string) => ({
	id: run,
	target: 'a',
	filedAs: 'a',
	agent: 'agent-1',
	host: 'h',
	time: new Date(0),
	manifest: `manifest-${run}`,
	sources: [{source: 'volume:/data', snapshot: `source-${run}`, bytes: 1}],
});

test('the intent first, then the manifests, then the rest', async t => {
	const {calls, journal, restic} = setUp();
	await forgetPoints(restic, journal, [point('1'), point('2')]);
	t.deepEqual(calls, [
		['remember', 'source-1', 'source-2'],
		['manifest-1', 'manifest-2'],
		['source-1', 'source-2'],
	]);
	t.is(journal.forgetting().size, 0);
	await forgetPoints(restic, journal, []);
	t.is(calls.length, 3);
});

test('snapshots of no point go with the manifests, in one call', async t => {
	const {calls, journal, restic} = setUp();
	await forgetPoints(restic, journal, [point('1')], {others: ['pass-1', 'pass-2']});
	t.deepEqual(calls, [['remember', 'source-1'], ['pass-1', 'pass-2', 'manifest-1'], ['source-1']]);
	await forgetPoints(restic, journal, [], {others: ['pass-3']});
	t.deepEqual(calls.at(-2), ['pass-3']);
	t.deepEqual(calls.at(-1), []);
});

test('what a kill left is ended; a point whose manifest is still there stays whole', async t => {
	const {calls, journal, restic} = setUp();
	journal.rememberForgetting(['a', 'b']);
	const snapshots = [source('a', '1'), source('b', '2'), manifest('c', '2'), source('d', '3')];
	t.deepEqual(withoutPoint(snapshots, journal.forgetting()), ['a']);
	await finishForgetting(restic, journal, snapshots);
	t.deepEqual(calls.at(-1), ['a']);
	t.is(journal.forgetting().size, 0);
});

test('an error keeps the journal', async t => {
	const {journal} = setUp();
	const restic = {
		async forget() {
			throw new Error('locked');
		},
	};
	await t.throwsAsync(forgetPoints(restic, journal, [point('1')]));
	t.deepEqual([...journal.forgetting()], ['source-1']);
});
