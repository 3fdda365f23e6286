import test from 'ava';
import {until} from '../../support/until.ts';

/** When it was looked, in milliseconds since the beginning. */
async function looks(last: number, patience?: Parameters<typeof until>[2]): Promise<number[]> {
	const begun = performance.now();
	const times: number[] = [];
	await until(
		'the time',
		() => {
			times.push(performance.now() - begun);
			return performance.now() - begun > last;
		},
		patience,
	);
	return times;
}

test('who waits for long looks less often; who says how often is heeded', async t => {
	const [patient, exact] = await Promise.all([looks(1500), looks(300, {interval: 2})]);
	t.true(patient.length < 30, `${patient.length} looks`);
	t.true((patient.at(-1) ?? 0) - (patient.at(-2) ?? 0) > 80);
	const pauses = exact.slice(1).map((time, index) => time - (exact[index] ?? 0));
	t.true(Math.min(...pauses) < 40, `at least ${Math.min(...pauses)} ms apart`);
});

test('in vain: with the description, and with what the last look failed with', async t => {
	const failing = until('the ship', () => Promise.reject(new Error('fog')), {timeout: 30});
	t.regex((await t.throwsAsync(failing)).message, /^Waited 0.03 s in vain for the ship: fog$/);
});
