/** Each step of a backup is met with the death of each process that can be alive then: a group of a database and an application that is paused. Lane: waits. */
import test from 'ava';
import {backupKills} from '../../support/laws/backup-kills.ts';

await backupKills(test, 'paused', {isWhole: true});
