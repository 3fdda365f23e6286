/** Restores, with what works for the agent killed, each once: the workers, restic, and the programs of PostgreSQL and SQLite; and the agent while it lets go. Lane: waits. */
import test from 'ava';
import {restoreKills} from '../../support/restore-kills.ts';

await restoreKills(test, {
	isWhole: false,
	among: ({victim, verb, at: {step, subject}}) =>
		verb === 'finish'
			? victim === 'agent' && step === 'clean-up' && subject !== undefined
			: victim !== 'agent' && (verb === 'restore' || step === 'swap'),
	least: {restore: 18, undo: 5, finish: 4},
});
