/** Restores, undos and letting go: each kind of step and each process is killed once, and the agent at the swap and the start of each, another choice for each commit; by night, every pair. Lane: waits. */
import test from 'ava';
import {isUndoKill, restoreKills} from '../../support/laws/restore-kills.ts';

await restoreKills(test, {
	isWhole: false,
	among: kill => kill.verb === 'restore' || isUndoKill(kill),
	least: {restore: 33, undo: 12, finish: 4},
});
