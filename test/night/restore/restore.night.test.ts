/** Dump, destroy, restore, compare: the oldest version and the newest, and both formats. */
import test from 'ava';
import {postgresRoundTrip} from '../../support/laws/postgres-round-trip.ts';

for (const [version, format] of [
	['13', 'custom'],
	['15', 'custom'],
	['15', 'plain'],
	['17', 'plain'],
	['18', 'custom'],
	['18', 'plain'],
] as const) {
	test.serial(`PostgreSQL ${version}, ${format}: what was dropped comes back as it was`, async t => postgresRoundTrip(t, version, format));
}
