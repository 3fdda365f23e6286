/** Undoing a restore, and letting go: each step and each process is killed once, another choice for each commit. Lane: waits. */
import test from 'ava';
import {isUndoKill, restoreKills} from '../../support/laws/restore-kills.ts';

await restoreKills(test, {isWhole: false, among: isUndoKill, least: {undo: 12, finish: 4}});
