/** Restores, with what works for the agent killed wherever it can be met: the workers, restic, and the programs of PostgreSQL and SQLite. Lane: waits. */
import test from 'ava';
import {restoreKills} from '../../support/restore-kills.ts';

await restoreKills(test, {
	isWhole: true,
	among: ({victim, verb, at: {step, subject}}) =>
		verb === 'finish'
			? victim === 'agent' && step === 'clean-up' && subject !== undefined
			: victim !== 'agent' && (verb === 'restore' || step === 'swap'),
	least: {restore: 18, undo: 5, finish: 4},
});
