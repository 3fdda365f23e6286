/** Each step of a backup is met with the death of each process that can be alive then: an application that is stopped, between two hooks. Lane: waits. */
import test from 'ava';
import {backupKills} from '../../support/laws/backup-kills.ts';

await backupKills(test, 'stopped', {isWhole: true});
