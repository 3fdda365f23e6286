/** A part of the night's tests, another one for each seed. */
import {drawn} from './draw.ts';
import {estimate, type Waiting} from './queue.ts';

/**
 * Drawn by the seed, as many as fit into the time: every file comes first in some draw, so each has its turn, also one that takes longer than all
 * the time there is. Pure.
 */
export const shareOf = <One extends Waiting>(night: readonly One[], seed: string, seconds: number): One[] => {
	const chosen: One[] = [];
	for (const each of drawn(night, seed, ({file}) => file)) {
		if (chosen.length === 0 || estimate([...chosen, each]) <= seconds) {
			chosen.push(each);
		}
	}

	return chosen;
};
