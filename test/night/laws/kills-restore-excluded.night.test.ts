/** What is excluded and lies in folders that are in the way of a restore in place: the agent, and each program that works on them, is killed at each of their steps. Lane: waits. */
import test from 'ava';
import {shelteredKills} from '../../support/laws/sheltered-kills.ts';

await shelteredKills(test);
