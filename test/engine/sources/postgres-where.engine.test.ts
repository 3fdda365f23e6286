/** Servers as people run them are found where they are: some of the odd ones, others for each commit; by night, all. Lane: waits. Turns: postgres. */
import test from 'ava';
import {findServers} from '../../support/laws/postgres-where.ts';

findServers(test, {isWhole: false});
