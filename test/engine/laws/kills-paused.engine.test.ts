/**
 * Whatever is killed, whenever: nothing partial is a restore point, everything is put back, and the next run succeeds. Here: a group of a database and an application that is paused. Each step of its backup and each
 * process once, another choice for each commit; by night, every pair. Lane: waits. Turns: kills.
 */
import test from 'ava';
import {backupKills} from '../../support/laws/backup-kills.ts';

await backupKills(test, 'paused', {isWhole: false});
