/** Points go by the policy, and the repository is looked after: whoever else uses it, and when the agent dies. By night, more. Lane: waits. */
import test from 'ava';
import {besideOthers, byThePolicy, killed, pointsOf} from '../../support/laws/maintenance.ts';

test('points go by the policy, and the repository is looked after', async t => {
	t.timeout(5 * 60_000);
	const {stack, points} = await byThePolicy(t);
	await besideOthers(t, stack);
	await killed(t, stack, ['prune']);
	t.deepEqual(await pointsOf(stack), points, 'as before all that');
});
