import test from 'ava';
import {inTurns} from '../../../base/in-turns.ts';

test('so many at once and never more, and what becomes of each in their order', async t => {
	const ends: Array<() => void> = [];
	let atWork = 0;
	let most = 0;
	const done = inTurns([...Array(10).keys()], async item => {
		most = Math.max(most, ++atWork);
		await new Promise<void>(resolve => {
			ends.push(resolve);
		});
		atWork--;
		return item * 2;
	});
	// The last that began ends first.
	for (let ended = 0; ended < 10; ) {
		const end = ends.pop();
		end?.();
		ended += end === undefined ? 0 : 1;
		await new Promise(setImmediate);
	}

	t.deepEqual(await done, [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
	t.is(most, 4);
	t.deepEqual(await inTurns([], async () => t.fail()), []);
});

test('the first error ends it: what has not begun is not begun', async t => {
	const begun: number[] = [];
	await t.throwsAsync(
		inTurns([...Array(10).keys()], async item => {
			begun.push(item);
			await new Promise(setImmediate);
			throw new Error(`no ${item}`);
		}),
		{message: 'no 0'},
	);
	await new Promise(setImmediate);
	t.true(begun.length < 10, begun.join());
});
