import test from 'ava';
import {runOfSnapshot, snapshotName} from '../../../../agent/sources/snapshots.ts';

test('the name says the run and the agent, and nobody else is taken for it', t => {
	const name = snapshotName({agent: 'abc', run: '20261129t200000-0a1b2c3', index: 12});
	t.is(runOfSnapshot(name, 'abc'), '20261129t200000-0a1b2c3');
	t.is(runOfSnapshot(name, 'ab'), undefined);
	t.is(runOfSnapshot('daily-1', 'abc'), undefined);
	t.is(runOfSnapshot('', 'abc'), undefined);
});
