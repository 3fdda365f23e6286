/** What a command writes goes on to others at the pace of the slowest, and nothing of it is kept. */
import type {Running} from '../../../base/command.ts';

/** One that ended takes no more, and keeps nobody waiting. */
export function sinkOf({stdin, done}: Running): {write: (chunk: Buffer) => Promise<void>; end: () => void; hasEnded: () => boolean} {
	let ended = false;
	// Waiting for what lasts anew with each chunk would keep something of each (`Promise.race` never lets go of the one that is late).
	let wake = () => {};
	const over = () => {
		ended = true;
		wake();
	};
	done.then(over, over);
	return {
		async write(chunk) {
			if (!ended) {
				await new Promise<void>(resolve => {
					wake = resolve;
					// A failure to write is told by how the command ends.
					stdin.write(chunk, () => resolve());
				});
			}
		},
		end: () => stdin.end(),
		hasEnded: () => ended,
	};
}
