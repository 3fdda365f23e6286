import test from 'ava';
import fc from 'fast-check';
import {applyPolicy} from '../../../../agent/keep/policy.ts';
import type {Keep} from '../../../../base/reading/keep.ts';

const at = (iso: string) => ({time: new Date(iso)});
const utc = {timeZone: 'UTC', now: Date.parse('2027-01-01T00:00:00Z')};

const kept = (points: ReadonlyArray<{time: Date}>, keep: Keep, circumstances = utc) =>
	applyPolicy(points, keep, circumstances).flatMap((reasons, index) =>
		reasons.length > 0 ? [points[index]?.time.toISOString().slice(0, 16)] : [],
	);

const rules = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;

/** The same policy, told in another way: with the names that people give to hours, days, weeks, months and years. */
function model(points: ReadonlyArray<{time: Date}>, keep: Keep, timeZone: string): boolean[] {
	const parts = new Intl.DateTimeFormat('en-GB', {
		timeZone,
		year: 'numeric',
		month: '2-digit',
		day: '2-digit',
		hour: '2-digit',
		hourCycle: 'h23',
	});
	const nameOf = ({time}: {time: Date}, rule: (typeof rules)[number], index: number): string => {
		const {year, month, day, hour} = Object.fromEntries(parts.formatToParts(time).map(({type, value}) => [type, value]));
		const monday = new Date(`${year}-${month}-${day}T00:00:00Z`);
		monday.setUTCDate(monday.getUTCDate() - ((monday.getUTCDay() + 6) % 7));
		return {
			last: String(index),
			hourly: `${year}-${month}-${day} ${hour}`,
			daily: `${year}-${month}-${day}`,
			weekly: monday.toISOString(),
			monthly: `${year}-${month}`,
			yearly: String(year),
		}[rule];
	};

	return points.map((_point, index) =>
		rules.some(rule => {
			const names = points.map((other, position) => nameOf(other, rule, position));
			const firsts = names.flatMap((name, position) => (names.indexOf(name) === position ? [position] : []));
			const first = firsts.indexOf(index);
			const count = keep[rule] ?? 0;
			return (first !== -1 && first < count) || (index === points.length - 1 && firsts.length < count);
		}),
	);
}

const policy = fc.record(Object.fromEntries(rules.map(rule => [rule, fc.integer({min: 1, max: 12})])), {requiredKeys: []});
const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Pacific/Apia');
const history = fc
	.array(fc.oneof(fc.integer({min: 1, max: 200_000}), fc.integer({min: 1, max: 40_000_000})), {minLength: 1, maxLength: 60})
	.map(gaps => {
		let time = Date.parse('2026-11-21T03:00:00Z');
		return gaps.map(gap => {
			time -= gap * 1000;
			return {time: new Date(time)};
		});
	});

test('any policy on any history is what the model says', t => {
	fc.assert(
		fc.property(history, policy, zone, (points, keep, timeZone) => {
			const actual = applyPolicy(points, keep as Keep, {timeZone, now: utc.now}).map(reasons => reasons.length > 0);
			return JSON.stringify(actual) === JSON.stringify(model(points, keep as Keep, timeZone));
		}),
		{numRuns: 300},
	);
	t.pass();
});

test('the newest of each day, and the oldest of all while days are left', t => {
	const points = [at('2026-03-03T12:00Z'), at('2026-03-03T03:00Z'), at('2026-03-02T03:00Z'), at('2026-03-02T01:00Z')];
	t.deepEqual(kept(points, {daily: 2}), ['2026-03-03T12:00', '2026-03-02T03:00']);
	t.deepEqual(kept(points, {daily: 3}), ['2026-03-03T12:00', '2026-03-02T03:00', '2026-03-02T01:00']);
});

test("days are those of the agent's time zone", t => {
	const points = [at('2026-07-01T23:30Z'), at('2026-07-01T21:30Z')];
	t.is(kept(points, {daily: 1}).length, 1);
	t.is(kept([...points, at('2026-06-01T12:00Z')], {daily: 2}).length, 2);
	t.deepEqual(kept([...points, at('2026-06-01T12:00Z')], {daily: 2}, {...utc, timeZone: 'Europe/Berlin'}), [
		'2026-07-01T23:30',
		'2026-07-01T21:30',
	]);
});

test('weeks begin on Monday, also across the end of a year', t => {
	const points = [
		at('2027-01-04T03:00Z'),
		at('2027-01-03T03:00Z'),
		at('2026-12-28T03:00Z'),
		at('2026-12-27T03:00Z'),
		at('2026-01-01T03:00Z'),
	];
	t.deepEqual(kept(points, {weekly: 3}, {...utc, now: Date.parse('2027-01-05T00:00:00Z')}), [
		'2027-01-04T03:00',
		'2027-01-03T03:00',
		'2026-12-27T03:00',
	]);
});

test('within counts from the newest point that is not of the future, by the calendar', t => {
	const points = [at('2026-03-31T03:00Z'), at('2026-03-04T03:00Z'), at('2026-03-03T03:00Z'), at('2026-03-02T03:00Z')];
	t.deepEqual(kept(points, {within: '1m'}), ['2026-03-31T03:00', '2026-03-04T03:00'], '31 February is 3 March');
	t.deepEqual(kept(points, {within: '27d1h'}), ['2026-03-31T03:00', '2026-03-04T03:00']);
	t.deepEqual(kept(points, {within: '1y'}).length, 4);
	const future = at('2030-01-01T00:00Z');
	t.deepEqual(kept([future, ...points], {within: '1d'}), ['2030-01-01T00:00', '2026-03-31T03:00']);
	t.deepEqual(kept([future], {within: '1h'}), ['2030-01-01T00:00']);
});

test('within keeps the time of day over a change of the clocks', t => {
	const points = [at('2026-03-30T01:00Z'), at('2026-03-28T02:30Z'), at('2026-03-28T01:30Z')];
	t.deepEqual(kept(points, {within: '2d'}, {...utc, timeZone: 'Europe/Berlin'}), ['2026-03-30T01:00', '2026-03-28T02:30']);
});

test('a policy without rules keeps nothing: its caller must refuse that', t => {
	t.deepEqual(kept([at('2026-03-03T12:00Z')], {}), []);
});
