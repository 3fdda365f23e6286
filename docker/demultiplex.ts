/** The output of a docker exec, which comes as frames of two streams, at the pace of its reader. */
import type {Readable} from 'node:stream';
import {stderrLimit} from '../base/command.ts';

export interface Demultiplexed {
	/** Reads until the first line of the error output is there; `undefined` when the output ended before. */
	firstErrorLine: () => Promise<string | undefined>;
	/** The rest of the standard output, at the pace of its reader. */
	stdout: () => AsyncGenerator<Buffer>;
	stderr: () => string;
	/** Rejects when the stream broke or ended within a frame. */
	ended: Promise<void>;
}

const stdoutFrame = 1;
const frameHeaderBytes = 8;

/** The engine's frames: one byte for which output, three unused, four for the length, then the content. */
/** @param onError hears the error output behind its first line */
export function demultiplex(stream: Readable, onError: (piece: string) => void = () => {}): Demultiplexed {
	const parts = frames(stream);
	const early: Buffer[] = [];
	let errors = Buffer.alloc(0);
	const {promise: ended, resolve, reject} = Promise.withResolvers<void>();
	ended.catch(() => {});

	const next = async (): Promise<Buffer | undefined> => {
		try {
			for (;;) {
				const {value, done} = await parts.next();
				if (done) {
					resolve();
					return undefined;
				}

				if (value.output === stdoutFrame) {
					return value.content;
				}

				errors = Buffer.concat([errors, value.content]).subarray(-stderrLimit);
				if (waitingForLine) {
					return Buffer.alloc(0);
				}

				onError(value.content.toString());
			}
		} catch (error) {
			const broken = new Error('the output of the command broke off', {cause: error});
			reject(broken);
			throw broken;
		}
	};

	let waitingForLine = false;
	return {
		async firstErrorLine() {
			waitingForLine = true;
			try {
				for (;;) {
					const newline = errors.indexOf('\n');
					if (newline !== -1) {
						const line = errors.subarray(0, newline).toString();
						errors = errors.subarray(newline + 1);
						if (errors.length > 0) {
							onError(errors.toString());
						}

						return line;
					}

					const content = await next();
					if (content === undefined) {
						return undefined;
					}

					if (content.length > 0) {
						early.push(content);
					}
				}
			} finally {
				waitingForLine = false;
			}
		},
		async *stdout() {
			yield* early.splice(0);
			for (let content = await next(); content !== undefined; content = await next()) {
				yield content;
			}
		},
		stderr: () => errors.toString().trim(),
		ended,
	};
}

/** Content as it comes, without waiting for the end of a frame. @throws when the stream ends within one. */
export async function* frames(stream: AsyncIterable<Buffer>): AsyncGenerator<{output: number; content: Buffer}> {
	let header = Buffer.alloc(0);
	let output = 0;
	let left = 0;
	for await (const chunk of stream) {
		let rest = chunk;
		while (rest.length > 0) {
			if (left === 0) {
				const taken = rest.subarray(0, frameHeaderBytes - header.length);
				header = Buffer.concat([header, taken]);
				rest = rest.subarray(taken.length);
				if (header.length === frameHeaderBytes) {
					output = header.readUInt8(0);
					left = header.readUInt32BE(4);
					header = Buffer.alloc(0);
				}
			} else {
				const content = rest.subarray(0, left);
				left -= content.length;
				rest = rest.subarray(content.length);
				yield {output, content};
			}
		}
	}

	if (left > 0 || header.length > 0) {
		throw new Error('the stream ended within a frame');
	}
}
