import test from 'ava';
import fc from 'fast-check';
import {dueTimes} from '../../../base/due.ts';
import {UsageError} from '../../../base/errors.ts';

const due = (line: string, timeZone: string, from: string, count: number) => {
	const after = dueTimes(line, timeZone);
	const times: string[] = [];
	for (let instant = Date.parse(from); times.length < count; ) {
		instant = after(instant);
		times.push(new Date(instant).toISOString().slice(5, 16));
	}

	return times;
};

const berlin = 'Europe/Berlin';
const newYork = 'America/New_York';
const lordHowe = 'Australia/Lord_Howe';

const changes: Array<[title: string, line: string, timeZone: string, from: string, expected: string[]]> = [
	['autumn, repeated time', '30 2 * * *', berlin, '2026-10-24T12:00Z', ['10-25T00:30', '10-26T01:30']],
	['autumn, asked in the second pass', '30 2 * * *', berlin, '2026-10-25T01:10Z', ['10-26T01:30']],
	['autumn, asked between the passes', '30 2 * * *', berlin, '2026-10-25T00:40Z', ['10-26T01:30']],
	['autumn, after the change', '30 3 * * *', berlin, '2026-10-25T01:10Z', ['10-25T02:30', '10-26T02:30']],
	[
		'autumn, every hour',
		'0 * * * *',
		berlin,
		'2026-10-24T22:30Z',
		['10-24T23:00', '10-25T00:00', '10-25T01:00', '10-25T02:00', '10-25T03:00'],
	],
	['autumn, every quarter', '*/15 * * * *', berlin, '2026-10-25T00:40Z', ['10-25T00:45', '10-25T01:00', '10-25T01:15']],
	['spring, time that does not occur', '30 2 * * *', berlin, '2027-03-27T12:00Z', ['03-28T01:00', '03-29T00:30']],
	['spring, several that do not occur are one', '*/20 2 * * *', berlin, '2027-03-28T00:00Z', ['03-28T01:00', '03-29T00:00']],
	['spring, it and the hour after', '0 2,3 * * *', berlin, '2027-03-27T12:00Z', ['03-28T01:00', '03-29T00:00', '03-29T01:00']],
	['spring, every hour', '15 * * * *', berlin, '2027-03-27T23:00Z', ['03-27T23:15', '03-28T00:15', '03-28T01:15', '03-28T02:15']],
	['autumn, repeated time', '30 1 * * *', newYork, '2026-10-31T12:00Z', ['11-01T05:30', '11-02T06:30']],
	['autumn, every hour', '0 * * * *', newYork, '2026-11-01T04:30Z', ['11-01T05:00', '11-01T06:00', '11-01T07:00']],
	['spring, time that does not occur', '15 2 * * *', newYork, '2027-03-13T12:00Z', ['03-14T07:00', '03-15T06:15']],
	['half an hour back, repeated time', '45 1 * * *', lordHowe, '2027-04-02T12:00Z', ['04-02T14:45', '04-03T14:45', '04-04T15:15']],
	['half an hour back, asked in the second pass', '45 1 * * *', lordHowe, '2027-04-03T15:05Z', ['04-04T15:15']],
	['half an hour forward, time that does not occur', '15 2 * * *', lordHowe, '2026-10-02T18:00Z', ['10-03T15:30', '10-04T15:15']],
	['half an hour forward, every hour', '15 * * * *', lordHowe, '2026-10-03T14:00Z', ['10-03T14:45', '10-03T15:45', '10-03T16:15']],
	['offset of the other half year', '0 * 1 7 *', berlin, '2027-02-01T00:00Z', ['06-30T22:00', '06-30T23:00']],
	['a rare day', '0 0 29 2 *', 'UTC', '2026-11-21T00:00Z', ['02-29T00:00']],
];

for (const [title, line, timeZone, from, expected] of changes) {
	test(`${timeZone}, ${title}: ${line} after ${from}`, t => {
		t.deepEqual(due(line, timeZone, from, expected.length), expected);
	});
}

const zone = fc.constantFrom(berlin, newYork, lordHowe, 'UTC', 'Asia/Kolkata', 'America/Santiago');
const instant = fc.integer({min: Date.UTC(2026, 0), max: Date.UTC(2028, 0)});
const minute = 60_000;
const day = 24 * 60 * minute;

test('a daily line is due once a day, wherever one asks from', t => {
	fc.assert(
		fc.property(zone, instant, fc.nat({max: 23}), fc.nat({max: 59}), fc.nat({max: day}), (timeZone, from, hour, clockMinute, later) => {
			const after = dueTimes(`${clockMinute} ${hour} * * *`, timeZone);
			const first = after(from);
			const second = after(first);
			t.true(first > from && first - from <= 25.5 * 60 * minute);
			t.true(second - first >= 22 * 60 * minute);
			const between = Math.min(from + later, first - 1);
			t.is(after(between), first);
		}),
		{numRuns: 300},
	);
});

test('a line of every hour leaves no more than an hour, and never repeats an instant', t => {
	fc.assert(
		fc.property(zone, instant, fc.nat({max: 59}), (timeZone, from, clockMinute) => {
			const after = dueTimes(`${clockMinute} * * * *`, timeZone);
			const first = after(from);
			const second = after(first);
			t.true(second > first);
			t.true(second - first <= (timeZone === lordHowe ? 90 : 60) * minute);
		}),
		{numRuns: 300},
	);
});

for (const line of [
	'',
	'*',
	'* * * *',
	'61 * * * *',
	'0 0 31 2 *',
	'0 0 31 2,4 * x',
	'0 0 30 2,2 *',
	'daily',
	'@nightly',
	'* * * * * *',
	'null',
]) {
	test(`not a line: \`${line}\``, t => {
		t.throws(() => dueTimes(line, 'UTC'), {instanceOf: UsageError});
	});
}

test('not a time zone', t => {
	t.throws(() => dueTimes('@daily', 'Europe/Berln'), {instanceOf: UsageError, message: /Europe\/Berln/});
});
