/** Restores, with what works for the agent killed: the workers, restic, and the programs of PostgreSQL and SQLite. */
import test from 'ava';
import {everyKill, startYard} from '../../support/restore-kills.ts';

test('whatever works for the agent is killed wherever it can be met', async t => {
	t.timeout(20 * 60_000);
	const yard = await startYard(t);
	const restores = await everyKill(t, yard, 'restore', ({victim}) => victim !== 'agent');
	const undos = await everyKill(t, yard, 'undo', ({victim, at: {step}}) => victim !== 'agent' && step === 'swap');
	const finishes = await everyKill(
		t,
		yard,
		'finish',
		({victim, at: {step, subject}}) => victim === 'agent' && step === 'clean-up' && subject !== undefined,
	);
	t.true(restores >= 18 && undos >= 5 && finishes >= 4, `${restores}, ${undos} and ${finishes} kills`);
});
