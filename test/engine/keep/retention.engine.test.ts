/** Sixty days of daily points in a real repository: what goes is what restic's own policy says, whole points only; by night, two years. Lane: waits. */
import test from 'ava';
import {daysGoByThePolicy} from '../../support/laws/retention-law.ts';

test('sixty daily points', async t => {
	t.timeout(180_000);
	await daysGoByThePolicy(t, 60);
});
