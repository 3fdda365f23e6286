/** Looks at the beginning of a stream without losing it. */
import {Readable} from 'node:stream';

export interface Peeked {
	/** As many bytes as were asked for, or all that there are. */
	beginning: Buffer;
	/** Everything, the beginning included, at the pace of its reader. */
	stream: Readable;
}

export async function peek(source: AsyncIterable<Buffer | Uint8Array>, bytes: number): Promise<Peeked> {
	const iterator = source[Symbol.asyncIterator]();
	const early: Buffer[] = [];
	let length = 0;
	let ended = false;
	while (length < bytes && !ended) {
		const {value, done} = await iterator.next();
		ended = done === true;
		if (!ended) {
			early.push(Buffer.from(value as Uint8Array));
			length += (value as Uint8Array).length;
		}
	}

	const whole = async function* () {
		try {
			yield* early.splice(0);
			for (let next = ended ? undefined : await iterator.next(); next !== undefined && !next.done; next = await iterator.next()) {
				yield next.value;
			}
		} finally {
			await iterator.return?.();
		}
	};

	return {beginning: Buffer.concat(early).subarray(0, bytes), stream: Readable.from(whole(), {objectMode: false, highWaterMark: 262_144})};
}
