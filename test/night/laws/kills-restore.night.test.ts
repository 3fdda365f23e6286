/** Restores, undos and letting go, with the agent killed between every two steps. Lane: waits. */
import test from 'ava';
import {isUndoKill, restoreKills} from '../../support/laws/restore-kills.ts';

await restoreKills(test, {
	isWhole: true,
	among: kill => kill.victim === 'agent' && (kill.verb === 'restore' || isUndoKill(kill)),
	least: {restore: 15, undo: 7, finish: 4},
});
