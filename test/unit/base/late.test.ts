import test from 'ava';
import {restedAt, statusView} from '../../../agent/overview/views.ts';
import type {RunRecord} from '../../../agent/state/state.ts';
import {isLate} from '../../../base/late.ts';

const hour = 3_600_000;
const day = 86_400;

test('a quarter of an interval and an hour are allowed', t => {
	t.false(isLate(0, day, 31 * hour));
	t.true(isLate(0, day, 31 * hour + 1));
	t.false(isLate(0, 60, hour + 75_000));
	t.true(isLate(0, 60, hour + 75_001));
});

test('status says since when, whatever runs now, and nothing of what is not expected', t => {
	const of = (success: number | undefined, firstSeen: number, running: string | undefined, expected = true, rested?: number) =>
		statusView(
			{target: {name: 'shop/db'}, problems: []},
			{
				running,
				last: undefined,
				success: success === undefined ? undefined : ({run: 'a', finishedAt: success} as RunRecord),
				next: null,
				expected: expected ? {intervalSeconds: day, firstSeen} : undefined,
				rested,
				drills: {last: undefined, success: undefined, next: null},
			},
		).late;
	const now = Date.now();
	t.is(of(now - 30 * hour, 0, undefined), undefined);
	t.is(of(now - 32 * hour, 0, 'run-9'), new Date(now - 32 * hour).toISOString());
	t.is(of(undefined, now - 32 * hour, undefined), new Date(now - 32 * hour).toISOString());
	t.is(of(undefined, now - 2 * hour, undefined), undefined);
	t.is(of(now - 999 * hour, 0, undefined, false), undefined);
	t.is(of(now - 999 * hour, 0, undefined, true, now - 30 * hour), undefined);
	t.is(of(undefined, 0, undefined, true, now - 32 * hour), new Date(now - 32 * hour).toISOString());
});

test('what rests is known by its last point without it, or by the last time that nothing could be backed up', t => {
	const partial = (error?: string) =>
		({
			outcome: 'partial',
			result: {startedAt: '2026-11-01T03:00:00.000Z', durationSeconds: 2, absent: [{source: 'db/postgres:x', why: 'it is stopped'}], error},
			operation: 'backup',
		}) as unknown as RunRecord;
	const of = (runs: RunRecord[], at?: number) => restedAt({runs: () => runs, restedAt: () => at}, 'shop/all');
	const ended = Date.parse('2026-11-01T03:00:02.000Z');
	t.is(of([]), undefined);
	t.is(of([partial()]), ended);
	t.is(of([partial('no room')]), undefined);
	t.is(of([partial('no room'), partial()]), ended);
	t.is(of([partial()], ended + 1), ended + 1);
});

test('the last backup rested where it lacks just that, whatever rests since', t => {
	const last = (error?: string) =>
		({
			run: 'r',
			operation: 'backup',
			result: {outcome: 'partial', startedAt: '', durationSeconds: 2, quiesceSeconds: 0, absent: [{source: 'x', why: 'stopped'}], error},
		}) as unknown as RunRecord;
	const of = (record: RunRecord) =>
		statusView(
			{target: {name: 'shop/all'}, problems: []},
			{
				running: undefined,
				last: record,
				success: undefined,
				next: null,
				rested: Date.now(),
				drills: {last: undefined, success: undefined, next: null},
			},
		).lastRun?.rested;
	t.is(of(last()), true);
	t.is(of(last('no room')), undefined);
});
