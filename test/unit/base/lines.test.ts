import {Readable} from 'node:stream';
import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import {linesOf, linesOfPieces} from '../../../base/lines.ts';

const all = async (stream: Readable): Promise<string[]> => Array.fromAsync(linesOf(stream));

/** Nobody may wait for ever. */
const soon = async <Value>(promise: Promise<Value>): Promise<Value> =>
	Promise.race([
		promise,
		delay(5000, undefined, {ref: false}).then(() => {
			throw new Error('it is still waited for');
		}),
	]);

const never = () => new Readable({read() {}}).on('error', () => {});

test('lines come whole, however the text is cut', async t => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.stringMatching(/^[a-z é€😀\u2028\u0085]*$/u)),
			fc.array(fc.integer({min: 1, max: 9})),
			async (lines, cuts) => {
				const text = Buffer.from(lines.map(line => `${line}\n`).join(''));
				const chunks: Buffer[] = [];
				for (let at = 0, turn = 0; at < text.length; turn++) {
					const size = cuts[turn % Math.max(1, cuts.length)] ?? text.length;
					chunks.push(text.subarray(at, at + size));
					at += size;
				}

				t.deepEqual(await all(Readable.from(chunks)), lines);
			},
		),
	);
});

test('carriage returns belong to the ends of lines, and the last line needs no end', async t => {
	t.deepEqual(await all(Readable.from([Buffer.from('one\r\ntwo\r'), Buffer.from('\n\nlast\r')])), ['one', 'two', '', 'last']);
	t.deepEqual(await all(Readable.from([])), []);
});

test('a stream that broke or was destroyed is an error, before as after it was asked; one that ended has no lines', async t => {
	const later = never();
	const waiting = all(later);
	later.destroy();
	await t.throwsAsync(soon(waiting), {message: /Premature close/});

	const destroyed = never();
	destroyed.destroy();
	await delay(1);
	await t.throwsAsync(soon(all(destroyed)), {message: /Premature close/});

	const broken = never();
	broken.destroy(new Error('it broke'));
	await delay(1);
	await t.throwsAsync(soon(all(broken)), {message: 'it broke'});

	const ended = never();
	ended.push(null);
	ended.resume();
	await delay(1);
	t.deepEqual(await soon(all(ended)), []);
});

test('who leaves early may read on otherwise', async t => {
	const stream = Readable.from([Buffer.from('one\ntwo\n'), Buffer.from('three\n')], {objectMode: false});
	for await (const line of linesOf(stream)) {
		t.is(line, 'one');
		break;
	}

	t.false(stream.destroyed);
	const {promise, resolve} = Promise.withResolvers<void>();
	stream.once('end', resolve);
	stream.resume();
	await soon(promise);
});

test('lines of pieces come whole, and of an endless one only its end is kept', t => {
	const lines: string[] = [];
	const hear = linesOfPieces(5, line => lines.push(line));
	for (const piece of ['one\ntw', 'o\r\n\nthr', 'ee', '\n123', '456', '\nnever ended']) {
		hear(piece);
	}

	t.deepEqual(lines, ['one', 'two', '', 'three', '23456']);
});
