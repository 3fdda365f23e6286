/** What happens to restore points over time, and to the repository: nothing that is needed goes, whoever else uses it and whatever is killed. */
import test from 'ava';
import type {CheckResult} from '../../../base/results.ts';
import {backUp, besideOthers, byThePolicy, checks, cold, json, killed, pointsOf, recreated} from '../../support/laws/maintenance.ts';

test('points go by the policy, and the repository is looked after', async t => {
	t.timeout(10 * 60_000);
	const {stack, points} = await byThePolicy(t);
	await checks(t, stack);
	await besideOthers(t, stack);
	await killed(t, stack, ['prune', 'check']);
	t.deepEqual(await pointsOf(stack), points, 'as before all that');
	await recreated(t, stack);
	await backUp(t, stack);
	await cold(t, stack);
	const whole = await json<CheckResult>(stack, 'check', '--read-data');
	t.is(whole.outcome, 'success', whole.error);
});
