/** What is known of the backup before: of the very snapshot that it published, and of no other, however its run ended. */
import test from 'ava';
import {previousAmong, previousOf} from '../../../../agent/backup/previous.ts';
import type {Point} from '../../../../agent/repository/points.ts';
import {openState} from '../../../../agent/state/state.ts';
import type {BackupResult} from '../../../../base/results.ts';

const target = 'shop/app';
const source = 'volume:/data';
const point = {id: 'r1', target, filedAs: target, sources: [{source, snapshot: 'one', bytes: 5}]} as unknown as Point;

test('how new a file is that changed while it was read is known of that snapshot alone', t => {
	const state = openState(':memory:');
	t.teardown(state.close);
	state.insertRun({run: 'r1', target, operation: 'backup', trigger: 'test', queuedAt: 1});
	state.startRun('r1', 1);
	state.finishRun('r1', 2, {run: 'r1', target, outcome: 'success', point: 'r1', sources: []} as unknown as BackupResult);
	const newest = () => previousOf(previousAmong([point], state))(source)?.newest;
	t.is(newest(), undefined, 'a Holdfast that remembered nothing made it');
	state.rememberNewest({target, source}, 'one', null);
	t.is(newest(), null);
	state.rememberNewest({target, source}, 'one', 5000);
	t.deepEqual(newest(), new Date(5000));
	t.like(previousOf(previousAmong([point], state))(source), {
		snapshot: 'one',
		bytes: 5,
		runStartedAt: new Date(1),
		runEndedAt: new Date(2),
	});
	// An agent that is killed before it publishes has remembered what is of no point
	state.rememberNewest({target, source}, 'two', null);
	t.is(newest(), undefined);
	t.is(previousOf(previousAmong([point], state))('volume:/other'), undefined);
	t.is(previousOf(undefined)(source), undefined);
});
