/** Restores: each step and each process is killed once, another choice for each commit; by night, every pair. Lane: waits. */
import test from 'ava';
import {restoreKills} from '../../support/laws/restore-kills.ts';

await restoreKills(test, {isWhole: false, among: ({verb}) => verb === 'restore', least: {restore: 33}});
