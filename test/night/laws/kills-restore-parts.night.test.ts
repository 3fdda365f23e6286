/** Restores, with what works for the agent killed wherever it can be met: the workers, restic, and the programs of PostgreSQL and SQLite. Lane: waits. */
import test from 'ava';
import {isUndoKill, restoreKills} from '../../support/laws/restore-kills.ts';

await restoreKills(test, {
	isWhole: true,
	among: kill => kill.victim !== 'agent' && (kill.verb === 'restore' || isUndoKill(kill)),
	least: {restore: 18, undo: 5},
});
