import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import {explain} from '../../../base/errors.ts';
import {answered, moving, standsStill, unlessAborted} from '../../../base/patience.ts';

const never = new Promise<never>(() => {});

test('a question has a limit; what comes later is given to who takes it', async t => {
	const late: string[] = [];
	const slow = delay(40, 'late');
	await t.throwsAsync(answered('the engine', slow, {withinMs: 5, late: value => late.push(value)}), {
		message: 'the engine gave no answer within 5ms',
	});
	await slow;
	t.deepEqual(late, ['late']);
	t.is(await answered('the engine', Promise.resolve('soon'), {withinMs: 1000, late: value => late.push(value)}), 'soon');
	await t.throwsAsync(answered('the engine', Promise.reject(new Error('refused')), {withinMs: 1000}), {message: 'refused'});
	t.deepEqual(late, ['late']);
});

test('a stream may take as long as it likes, and not stand still', async t => {
	const slowly = async function* () {
		for (let n = 0; n < 4; n++) {
			await delay(20);
			yield n;
		}
	};
	t.deepEqual(await Array.fromAsync(moving(slowly(), 'the archive', 70)), [0, 1, 2, 3]);
	const stuck = async function* () {
		yield 1;
		await never;
	};
	await t.throwsAsync(Array.fromAsync(moving(stuck(), 'the archive', 10)), {message: 'the archive: nothing came for 10ms'});
});

test('a reader that takes its time does not count, and one that leaves is heard by the stream', async t => {
	let isClosed = false;
	const source = async function* () {
		try {
			yield 1;
			yield 2;
		} finally {
			isClosed = true;
		}
	};
	for await (const _ of moving(source(), 'the archive', 10)) {
		await delay(40);
		break;
	}

	t.true(isClosed);
});

test('what is done for a run ends with its signal, also what has not begun', async t => {
	const ending = new AbortController();
	const waiting = unlessAborted(never, ending.signal);
	ending.abort(new Error('it was cancelled'));
	await t.throwsAsync(waiting, {message: 'it was cancelled'});
	await t.throwsAsync(unlessAborted(never, ending.signal), {message: 'it was cancelled'});
	t.is(await unlessAborted(Promise.resolve(1), undefined), 1);
});

test('the limit of all names what sets it', t => {
	t.is(
		explain(standsStill('the archive')),
		'the archive: nothing came for 30m (HOLDFAST_STALL_LIMIT says how long anything may stand still)',
	);
});
