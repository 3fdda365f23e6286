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
	return context.body(wholeOrBroken(stream, {breakConnection: () => socket.destroy(), stalledMs}), 200, {
		...headers,
		'Content-Type': type,
		'Content-Disposition': `attachment; filename="${name}"`,
		'X-Holdfast-Point': point,
		Connection: 'close',
	});
}

/**
 * A body whose failure breaks the connection: hono's server writes the error behind the content, and ends the answer as if it were whole. So does a client
 * that takes nothing, which would hold the repository's lock for ever; one that has taken all waits for us: a large repository takes its time to open.
 */
function wholeOrBroken(
	stream: Readable,
	{breakConnection, stalledMs}: {breakConnection: () => void; stalledMs: number},
): ReadableStream<Uint8Array> {
	const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
	let untaken: NodeJS.Timeout | undefined;
	return new ReadableStream<Uint8Array>(
		{
			// Called when what was given before is taken.
			async pull(controller) {
				clearTimeout(untaken);
				try {
					const {value, done} = await chunks.next();
					if (done) {
						controller.close();
						return;
					}

					controller.enqueue(value);
					untaken = setTimeout(breakConnection, stalledMs).unref();
				} catch {
					breakConnection();
				}
			},
			cancel() {
				clearTimeout(untaken);
				stream.destroy();
			},
		},
		{highWaterMark: 0},
	);
}
