/** What a command writes goes on to others at the pace of the slowest, and nothing of it is kept. */
import type {Writable} from 'node:stream';
import type {Running} from '../../../base/command.ts';

/** One that ended takes no more, and keeps nobody waiting. */
export function sinkOf({stdin, done}: Running): {write: (chunk: Buffer) => Promise<void>; end: () => void; hasEnded: () => boolean} {
	let ended = false;
	const over = done.then(
		() => {
			ended = true;
		},
		() => {
			ended = true;
		},
	);
	return {
		async write(chunk) {
			if (!ended) {
				await Promise.race([accepted(stdin, chunk), over]);
			}
		},
		end: () => stdin.end(),
		hasEnded: () => ended,
	};
}

/** A failure to write is told by how the command ends. */
const accepted = async (stdin: Writable, chunk: Buffer): Promise<void> => new Promise(resolve => stdin.write(chunk, () => resolve()));
