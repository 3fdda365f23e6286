/** Dump, destroy, restore, compare: on a real server, through the command line as a person uses it; by night, other versions. Lane: waits. */
import test from 'ava';
import {postgresRoundTrip} from '../../support/postgres-round-trip.ts';

for (const format of ['custom', 'plain'] as const) {
	test.serial(`PostgreSQL 17, ${format}: what was dropped comes back as it was`, async t => postgresRoundTrip(t, '17', format));
}
