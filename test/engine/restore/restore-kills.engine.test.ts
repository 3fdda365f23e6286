/** Restores, with the agent killed between every two steps. */
import test from 'ava';
import {everyKill, startYard} from '../../support/restore-kills.ts';

test('the agent is killed at every step of a restore, and of an undo', async t => {
	t.timeout(20 * 60_000);
	const yard = await startYard(t);
	const restores = await everyKill(t, yard, 'restore', ({victim}) => victim === 'agent');
	const undos = await everyKill(t, yard, 'undo', ({victim}) => victim === 'agent');
	t.true(restores >= 15 && undos >= 7, `${restores} and ${undos} kills`);
});
