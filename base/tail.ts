import type {Readable} from 'node:stream';

/** Reads a stream to its end and keeps its last `limit` bytes; the function returned gives them as text. */
export function tailOf(stream: Readable, limit: number): () => string {
	let chunks: Buffer[] = [];
	let size = 0;
	let cut = false;
	stream.on('data', (chunk: Buffer) => {
		chunks.push(chunk);
		size += chunk.length;
		if (size > 2 * limit) {
			chunks = [Buffer.concat(chunks).subarray(-limit)];
			size = limit;
			cut = true;
		}
	});
	stream.on('error', () => {});
	return () => {
		const all = Buffer.concat(chunks);
		const text = all.subarray(-limit).toString();
		return cut || all.length > limit ? text.replace(/^\uFFFD+/, '') : text;
	};
}
