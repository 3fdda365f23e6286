/** A volume that is written in place: what works on it is killed wherever it can be met. Lane: waits. */
import test from 'ava';
import {restoreKills} from '../../support/laws/restore-kills.ts';

await restoreKills(test, {
	isWhole: true,
	inPlace: true,
	among: ({verb, victim, at: {step, subject = ''}}) =>
		subject.includes('volume:') && ['agent', 'worker', 'restic'].includes(victim) && (verb === 'restore' || step === 'swap'),
	least: {restore: 8, undo: 2},
});
