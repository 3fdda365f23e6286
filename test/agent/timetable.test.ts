import test from 'ava';
import {openState} from '../../agent/state.ts';
import {entries} from '../../agent/timetable.ts';

const backup = {operation: 'backup', subject: 'shop/db', line: '0 3 * * *'} as const;
const drill = {operation: 'drill', subject: 'shop/db', line: '0 0 * * 0'} as const;

test('an operation is due from its own last run; one that never ran, from when its entry was first seen', t => {
	const state = openState(':memory:');
	t.teardown(state.close);
	const check = {operation: 'check', subject: 'repository:primary', line: '0 6 * * 0'} as const;
	state.firstSeen('shop/db', 1000);
	state.insertRun({run: 'r1', target: 'shop/db', operation: 'backup', trigger: 'cli', queuedAt: 5000});
	const before = Date.now();
	const [first, second] = entries([backup, check], state);
	t.deepEqual(first, {...backup, since: 5000});
	t.true(second !== undefined && second.since >= before);

	state.insertRun({run: 'r2', target: 'repository:primary', operation: 'check', trigger: 'cli', queuedAt: before + 7000});
	t.deepEqual(
		entries([backup, check], state).map(({since}) => since),
		[5000, before + 7000],
	);
});

test('a drill is due when there is a backup, and then also for what was missed since the target was first seen', t => {
	const state = openState(':memory:');
	t.teardown(state.close);
	const begun = Date.now();
	t.deepEqual(entries([drill], state), []);
	const seen = state.firstSeen('drill shop/db', 0);
	t.true(seen >= begun);

	const result = {run: 'r1', target: 'shop/db', point: 'r1', startedAt: '', durationSeconds: 1, quiesceSeconds: 0, sources: []};
	state.insertRun({run: 'r0', target: 'shop/db', operation: 'backup', trigger: 'cli', queuedAt: 4000});
	state.startRun('r0', 4000);
	state.finishRun('r0', 5000, {...result, run: 'r0', point: null, outcome: 'failed'});
	t.deepEqual(entries([drill], state), []);
	state.insertRun({run: 'r1', target: 'shop/db', operation: 'backup', trigger: 'cli', queuedAt: 5000});
	state.startRun('r1', 5000);
	state.finishRun('r1', 6000, {...result, outcome: 'success'});
	t.deepEqual(entries([drill], state), [{...drill, since: seen}]);
});
