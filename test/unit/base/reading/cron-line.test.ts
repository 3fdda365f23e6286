import test from 'ava';
import fc from 'fast-check';
import {dueTimes} from '../../../../base/due.ts';
import {readCronLine} from '../../../../base/reading/cron-line.ts';

const rule = (text: string): string => {
	const read = readCronLine(text);
	return 'rule' in read ? read.rule : `no rule: ${read.value}`;
};

for (const [text, line] of [
	['0 3 * * *', '0 3 * * *'],
	['  0\t3  * * * ', '0 3 * * *'],
	['*/15 0-6,22,23 1,15 jan-mar,Dec mon-FRI', '*/15 0-6,22,23 1,15 jan-mar,Dec mon-FRI'],
	['0 0 29 2 *', '0 0 29 2 *'],
	['0 0 31 1,2 *', '0 0 31 1,2 *'],
	['0 0 * * 7', '0 0 * * 7'],
	['5-50/5 * * * *', '5-50/5 * * * *'],
	['@hourly', '0 * * * *'],
	['@daily', '0 0 * * *'],
	['@weekly', '0 0 * * 0'],
	['@monthly', '0 0 1 * *'],
	['@yearly', '0 0 1 1 *'],
] as const) {
	test(`takes ${JSON.stringify(text)}`, t => {
		t.deepEqual(readCronLine(text), {value: line});
	});
}

for (const [text, part] of [
	['', /five fields.* has 0/],
	['0 0 3 * * *', /no seconds.* has 6/],
	['0 3 * *', /has 4/],
	['60 * * * *', /its minute is a number 0-59/],
	['-1 * * * *', /its minute/],
	['0 24 * * *', /its hour/],
	['0 0 0 * *', /its day of the month/],
	['0 0 32 * *', /its day of the month/],
	['0 0 * 13 *', /its month is a number 1-12 or jan-dec/],
	['0 0 * 0 *', /its month/],
	['0 0 * mon *', /its month/],
	['0 0 * * 8', /its day of the week/],
	['0 0 * * jan', /its day of the week/],
	['0 22-3 * * *', /range that goes up/],
	['0 0 * * sat-sun', /range that goes up/],
	['*/0 * * * *', /its minute/],
	['*/60 * * * *', /its minute/],
	['5/15 * * * *', /its minute/],
	['*,5 * * * *', /its minute/],
	['5, * * * *', /its minute/],
	['*-5 * * * *', /its minute/],
	['1.5 * * * *', /its minute/],
	['0x1 * * * *', /its minute/],
	['0 0 L * *', /its day of the month/],
	['0 0 ? * *', /its day of the month/],
	['0 0 * * 1#2', /its day of the week/],
	['H 3 * * *', /its minute/],
	['0 0 31 2 *', /day exists/],
	['0 0 30-31 2 *', /day exists/],
	['0 0 31 4,jun */2', /day exists/],
	['0 0 31 feb mon', /day exists/],
	['@reboot', /one of @hourly/],
	['@daily please', /one of @hourly/],
	['@__proto__', /one of @hourly/],
	['@toString', /one of @hourly/],
	['0 3 * * *\n0 4 * * *', /five fields/],
] as const) {
	test(`refuses ${JSON.stringify(text)}`, t => {
		t.regex(rule(text), part);
	});
}

const ranges = [
	[0, 59],
	[0, 23],
	[1, 31],
	[1, 12],
	[0, 7],
] as const;

const fieldOf = ([first, last]: readonly [number, number]) => {
	const number = fc.integer({min: first, max: last});
	const range = fc.tuple(number, number).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
	const step = fc.integer({min: 1, max: last - first});
	return fc.oneof(
		fc.constant('*'),
		number.map(String),
		range,
		fc.tuple(fc.oneof(fc.constant('*'), range), step).map(([of, by]) => `${of}/${by}`),
		fc.array(fc.oneof(number.map(String), range), {minLength: 1, maxLength: 4}).map(items => items.join(',')),
	);
};

test('what is taken is due some day, and what is refused among well-formed lines is a day that never comes', t => {
	fc.assert(
		fc.property(fc.tuple(...ranges.map(fieldOf)), fields => {
			const line = fields.join(' ');
			const read = readCronLine(line);
			if ('rule' in read) {
				t.regex(read.rule, /day exists/);
			} else {
				t.true(dueTimes(read.value, 'UTC')(Date.UTC(2026, 0, 1)) > 0);
			}
		}),
		{numRuns: 2000},
	);
});

test('never throws', t => {
	fc.assert(fc.property(fc.string(), text => typeof readCronLine(text) === 'object'));
	fc.assert(fc.property(fc.stringMatching(/^[@*/,a-z0-9 -]{0,30}$/), text => typeof readCronLine(text) === 'object'));
	t.pass();
});
