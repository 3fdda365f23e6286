/** Text as it comes, a line at a time. */
import type {Readable} from 'node:stream';
import {StringDecoder} from 'node:string_decoder';

/**
 * Lines without their ends (`\n`, `\r\n`); the last one needs none. Who leaves early leaves the stream as it is: it must be read on, or destroyed.
 *
 * Not `node:readline`: that waits for ever where the stream ended, broke or was destroyed before it was asked (measured with Node 24), and takes
 * U+2028 in a file's name for the end of a line.
 * @throws what broke the stream, also where it broke before
 */
export async function* linesOf(stream: Readable): AsyncGenerator<string, void> {
	const decoder = new StringDecoder('utf8');
	let pieces = '';
	for await (const chunk of stream.iterator({destroyOnReturn: false})) {
		const lines = (pieces + (typeof chunk === 'string' ? chunk : decoder.write(chunk))).split('\n');
		pieces = lines.pop() ?? '';
		yield* lines.map(withoutReturn);
	}

	pieces += decoder.end();
	if (pieces !== '') {
		yield withoutReturn(pieces);
	}
}

const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line);

/**
 * The same for text that is handed over in pieces: each line is read when its end has come. Of one that grows longer than `limit` characters, only
 * the last of them are kept.
 */
export function linesOfPieces(limit: number, read: (line: string) => void): (piece: string) => void {
	let rest = '';
	return piece => {
		const lines = (rest + piece).split('\n');
		rest = (lines.pop() ?? '').slice(-limit);
		for (const line of lines) {
			read(withoutReturn(line));
		}
	};
}
