import {Readable} from 'node:stream';
import test from 'ava';
import fc from 'fast-check';
import {demultiplex, frames} from '../../../docker/demultiplex.ts';

type Frame = {output: number; content: Buffer};

function encode({output, content}: Frame): Buffer {
	const header = Buffer.alloc(8);
	header.writeUInt8(output, 0);
	header.writeUInt32BE(content.length, 4);
	return Buffer.concat([header, content]);
}

/** What came on each output, in the order in which it came. */
async function collect(chunks: readonly Buffer[]): Promise<Record<number, Buffer>> {
	const outputs: Record<number, Buffer> = {};
	for await (const {output, content} of frames(Readable.from(chunks))) {
		outputs[output] = Buffer.concat([outputs[output] ?? Buffer.alloc(0), content]);
	}

	return outputs;
}

const frame = fc.record({
	output: fc.constantFrom(1, 2),
	content: fc.uint8Array({maxLength: 100}).map(bytes => Buffer.from(bytes)),
});

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
	const ends = [...new Set(places.map(place => place % (bytes.length + 1))), bytes.length].sort((a, b) => a - b);
	return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end)).filter(({length}) => length > 0);
}

test('frames are put together however the stream was cut', async t => {
	await fc.assert(
		fc.asyncProperty(fc.array(frame), fc.array(fc.nat()), async (sent, places) => {
			const received = await collect(cut(Buffer.concat(sent.map(encode)), places));
			for (const output of [1, 2]) {
				const expected = Buffer.concat(sent.filter(each => each.output === output).map(({content}) => content));
				t.deepEqual(received[output] ?? Buffer.alloc(0), expected);
			}
		}),
	);
});

test('a stream that ends within a frame is an error', async t => {
	const whole = encode({output: 1, content: Buffer.from('abc')});
	for (let length = 1; length < whole.length; length++) {
		await t.throwsAsync(collect([whole.subarray(0, length)]), {message: /within a frame/});
	}
});

test('all of the error output behind its first line is heard, also what came with it', async t => {
	const error = (text: string) => encode({output: 2, content: Buffer.from(text)});
	for (const sent of [[error('12\nope'), error('ned\n')], [error('1'), error('2\nopened\n')], [error('12\nopened\n')]]) {
		let heard = '';
		const output = demultiplex(Readable.from([...sent, encode({output: 1, content: Buffer.from('x')})]), piece => {
			heard += piece;
		});
		t.is(await output.firstErrorLine(), '12');
		await Array.fromAsync(output.stdout());
		t.is(heard, 'opened\n');
	}
});
