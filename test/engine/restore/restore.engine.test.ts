/** Dump, destroy, restore, compare: on a real server, through the command line as a person uses it. By night, other formats and versions. Lane: waits. Turns: postgres. */
import test from 'ava';
import {postgresRoundTrip} from '../../support/laws/postgres-round-trip.ts';

test('PostgreSQL 17, custom: what was dropped comes back as it was', async t => postgresRoundTrip(t, '17', 'custom'));
