import test from 'ava';
import {openState} from '../../agent/state.ts';
import {entries} from '../../agent/timetable.ts';

test('an operation is due from its own last run; one that never ran, from when its entry was first seen', t => {
	const state = openState(':memory:');
	t.teardown(state.close);
	state.firstSeen('shop/db', 1000);
	state.insertRun({run: 'r1', target: 'shop/db', operation: 'backup', trigger: 'cli', queuedAt: 5000});
	const before = Date.now();
	const due = [
		{operation: 'backup', subject: 'shop/db', line: '0 3 * * *'},
		{operation: 'drill', subject: 'shop/db', line: '0 0 * * 0'},
	] as const;
	const [backup, drill] = entries(due, state);
	t.deepEqual(backup, {...due[0], since: 5000});
	t.true(drill !== undefined && drill.since >= before);

	state.insertRun({run: 'r2', target: 'shop/db', operation: 'drill', trigger: 'cli', queuedAt: before + 7000});
	t.deepEqual(
		entries(due, state).map(({since}) => since),
		[5000, before + 7000],
	);
});
