/** Two years of daily points in a real repository: what goes is what restic's own policy says, whole points only, also when it is killed. */
import test from 'ava';
import {daysGoByThePolicy} from '../../support/laws/retention-law.ts';

test('two years of daily points', async t => {
	t.timeout(5 * 60_000);
	await daysGoByThePolicy(t, 730);
});
