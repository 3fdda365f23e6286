/** What a watch refuses ends the work, and is why it failed; a watch ends with its work. */
import test from 'ava';
import {watched} from '../../../../agent/sources/watched.ts';

const untilAborted = async (signal: AbortSignal) =>
	new Promise<never>((_, reject) => {
		signal.addEventListener('abort', () => reject(new Error('it was ended')), {once: true});
	});
const looking = async (signal: AbortSignal): Promise<void> => untilAborted(signal).catch(() => {});
const never = new AbortController().signal;

test('work that is done ends its watch', async t => {
	let isOver = false;
	const watch = async (signal: AbortSignal) => {
		await looking(signal);
		isOver = true;
	};
	t.is(await watched(never, {work: async () => 'whole', watch}), 'whole');
	t.true(isOver);
});

test('why the watch ended it is what is said, not what became of the work; also when that was done already', async t => {
	const refusing = async () => {
		throw new Error('a table was emptied');
	};
	await t.throwsAsync(watched(never, {work: untilAborted, watch: refusing}), {message: 'a table was emptied'});
	const late = async (signal: AbortSignal) => looking(signal).then(refusing);
	await t.throwsAsync(watched(never, {work: async () => 'whole', watch: late}), {message: 'a table was emptied'});
});

test('work that fails by itself says why, and ends its watch', async t => {
	let isOver = false;
	const watch = async (signal: AbortSignal) => {
		await looking(signal);
		isOver = true;
	};
	const failing = async () => {
		throw new Error('pg_dump failed');
	};
	await t.throwsAsync(watched(never, {work: failing, watch}), {message: 'pg_dump failed'});
	t.true(isOver);
});

test('one signal ends both, and is why', async t => {
	const end = new AbortController();
	const both = watched(end.signal, {work: untilAborted, watch: looking});
	end.abort(new Error('cancelled'));
	await t.throwsAsync(both, {message: 'cancelled'});
});
