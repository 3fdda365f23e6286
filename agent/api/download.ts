/** A file of any size as an answer, at the pace of its reader: whole, or the connection breaks. */
import type {Readable} from 'node:stream';
import type {Context} from 'hono';
import type {Bindings} from './bindings.ts';

interface File {
	/** As the file is to be called: letters, digits, `.`, `-` and `_`. */
	name: string;
	point: string;
	type: string;
	stream: Readable;
	headers?: Record<string, string>;
	/** How long a client may take nothing. */
	stalledMs: number;
}

export function download(context: Context<Bindings>, {name, point, type, stream, headers, stalledMs}: File): Response {
	const {socket} = context.env.incoming;
	// A client that takes nothing would hold the repository's lock for ever.
	socket.setTimeout(stalledMs, () => socket.destroy());
	return context.body(
		wholeOrBroken(stream, () => socket.destroy()),
		200,
		{
			...headers,
			'Content-Type': type,
			'Content-Disposition': `attachment; filename="${name}"`,
			'X-Holdfast-Point': point,
			Connection: 'close',
		},
	);
}

/** A body whose failure breaks the connection: hono's server writes the error behind the content, and ends the answer as if it were whole. */
function wholeOrBroken(stream: Readable, breakConnection: () => void): ReadableStream<Uint8Array> {
	const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
	return new ReadableStream<Uint8Array>(
		{
			async pull(controller) {
				try {
					const {value, done} = await chunks.next();
					done ? controller.close() : controller.enqueue(value);
				} catch {
					breakConnection();
				}
			},
			cancel() {
				stream.destroy();
			},
		},
		{highWaterMark: 0},
	);
}
