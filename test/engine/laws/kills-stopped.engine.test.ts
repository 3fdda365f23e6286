/**
 * Whatever is killed, whenever: nothing partial is a restore point, everything is put back, and the next run succeeds. Here: an application that is
 * stopped, between two hooks. Each step that is but here once, another choice for each commit; by night, every pair. Lane: waits. Turns: kills.
 */
import test from 'ava';
import {backupKills} from '../../support/laws/backup-kills.ts';

await backupKills(test, 'stopped', {isWhole: false});
