/** Restores and undos, with the agent killed between every two steps. Lane: waits. */
import test from 'ava';
import {restoreKills} from '../../support/restore-kills.ts';

await restoreKills(test, {
	isWhole: true,
	among: ({victim, verb}) => victim === 'agent' && verb !== 'finish',
	least: {restore: 15, undo: 7},
});
