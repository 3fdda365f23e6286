import test from 'ava';
import fc from 'fast-check';
import {runId} from '../../../base/ids.ts';

const instant = fc.integer({min: Date.UTC(2000), max: Date.UTC(2100)});

test('is the second in UTC and a suffix', t => {
	t.regex(runId(Date.UTC(2026, 10, 21, 3, 15, 2, 999)), /^20261121t031502-[0-9a-z]{7}$/);
});

test('sorts by time as text', t => {
	fc.assert(
		fc.property(instant, fc.integer({min: 1, max: 100_000_000}), (now, later) => {
			t.true(runId(now) < runId(now + later));
		}),
	);
	t.pass();
});

test('sorts by the millisecond within a second', t => {
	const second = Date.UTC(2026, 10, 21, 3, 15, 2);
	const ids = Array.from({length: 1000}, (_, milliseconds) => runId(second + milliseconds));
	t.deepEqual(ids.toSorted(), ids);
});

test('is unique within one millisecond', t => {
	const now = Date.now();
	const ids = Array.from({length: 500}, () => runId(now));
	t.is(new Set(ids).size, ids.length);
});

test('is safe as a host name, a tag and a path', t => {
	fc.assert(fc.property(instant, now => /^[a-z0-9][a-z0-9-]{0,62}$/.test(runId(now))));
	t.pass();
});
