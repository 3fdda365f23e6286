/** How fast a repository takes what is new, as the passes of this agent's life have shown. */
import type {Saved} from '../restic/restic.ts';

export interface Pace {
	learn: (passed: Pick<Saved, 'addedBytes' | 'seconds'>) => void;
	/** It was slower than that: nothing is known, until the next pass that tells. */
	forget: () => void;
	/** In which so much is stored; undefined: nobody knows. */
	secondsFor: (bytes: number) => number | undefined;
}

/** What adds less says more of the look at all files than of the repository. */
const telling = 4 * 1024 ** 2;

export function createPace(): Pace {
	let bytesPerSecond: number | undefined;
	return {
		learn({addedBytes, seconds}) {
			if (addedBytes >= telling && seconds > 0) {
				bytesPerSecond = addedBytes / seconds;
			}
		},
		forget() {
			bytesPerSecond = undefined;
		},
		secondsFor: bytes => bytesPerSecond && bytes / bytesPerSecond,
	};
}
