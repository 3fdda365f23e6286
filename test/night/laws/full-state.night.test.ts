/** The disk of /state is full from each single step of a backup on: all is put back, the run says what is so, also to another life of the agent, and the next one succeeds. Lane: waits. */
import test from 'ava';
import {fullStates} from '../../support/laws/backup-kills.ts';

await fullStates(test);
