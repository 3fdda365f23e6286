/** Restores, with the engine killed under them: the agent dies with it, and both come again. */
import test from 'ava';
import {everyKill, startYard} from '../../support/restore-kills.ts';
import {canStartSecondEngine, startSecondEngine} from '../../support/second-engine.ts';

test('the engine is killed at every kind of step of a restore, and of an undo', async t => {
	t.timeout(20 * 60_000);
	if (!(await canStartSecondEngine())) {
		t.log('only root on Debian with a local engine can start a second one');
		t.pass();
		return;
	}

	const engine = await startSecondEngine();
	// After the stack is down: what was added first is done last.
	t.teardown(engine.remove);
	const yard = await startYard(t, engine);
	const restores = await everyKill(
		t,
		yard,
		'restore',
		({victim, at: {step, subject = ''}}) => victim === 'engine' && (subject.includes('postgres:') || ['stop', 'start'].includes(step)),
	);
	const undos = await everyKill(t, yard, 'undo', ({victim, at: {subject = ''}}) => victim === 'engine' && subject.includes('volume:'));
	t.true(restores >= 6 && undos >= 1, `${restores} and ${undos} kills`);
});
