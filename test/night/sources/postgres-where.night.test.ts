/** Servers as people run them are found where they are: every odd one. Lane: waits. */
import test from 'ava';
import {findServers} from '../../support/laws/postgres-where.ts';

findServers(test, {isWhole: true});
