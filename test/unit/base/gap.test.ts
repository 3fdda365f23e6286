import test from 'ava';
import {longestGapMs} from '../../../base/gap.ts';

const hours = (line: string) => longestGapMs(line) / 3_600_000;

for (const [line, expected] of [
	['* * * * *', 1 / 60],
	['0 * * * *', 1],
	['15 2,14 * * *', 12],
	['0 3 * * *', 24],
	['0 3 * * 0', 7 * 24],
	['0 3 * * 1-5', 3 * 24],
	['*/15 8-18 * * 1-5', 61.25],
	['0 3 1 * *', 31 * 24],
	['0 3 31 * *', 61 * 24],
	['0 3 1,15 * 0', 7 * 24],
	['0 0 1 1 *', 365 * 24],
	['0 0 29 2 *', 4 * 365 * 24 + 24],
] as const) {
	test(`the longest time between two due times of ${line}`, t => {
		t.is(hours(line), expected);
	});
}

test('many lines are quick', t => {
	const began = performance.now();
	for (let minute = 0; minute < 1440; minute++) {
		longestGapMs(`${minute % 60} ${Math.floor(minute / 60)} * * *`);
	}

	t.true(performance.now() - began < 5000);
});
