/** Restores and undos, with the agent killed at each kind of step; by night, between every two of them. Lane: waits. */
import test from 'ava';
import {restoreKills} from '../../support/restore-kills.ts';

await restoreKills(test, {
	isWhole: false,
	among: ({victim, verb}) => victim === 'agent' && verb !== 'finish',
	least: {restore: 15, undo: 7},
});
