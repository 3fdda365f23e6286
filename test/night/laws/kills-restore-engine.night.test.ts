/** Restores, with the engine killed under them: the agent dies with it, and both come again. Lane: waits. */
import test from 'ava';
import {restoreKills} from '../../support/laws/restore-kills.ts';
import {canStartSecondEngine, startSecondEngine} from '../../support/machine/second-engine.ts';

if (await canStartSecondEngine()) {
	await restoreKills(test, {
		isWhole: true,
		among: ({victim, verb, at: {step, subject = ''}}) =>
			victim === 'engine' &&
			(verb === 'restore'
				? subject.includes('postgres:') || ['stop', 'start'].includes(step)
				: verb === 'undo' && subject.includes('volume:')),
		least: {restore: 6, undo: 1},
		engine: await startSecondEngine(),
	});
} else {
	test.skip('only root on Debian with a local engine can start a second one', t => t.pass());
}
