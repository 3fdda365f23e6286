/** How much a command shows. */
import {InvalidArgumentError, Option} from 'commander';

interface Limit {
	/** For people: `how many`. */
	what: string;
	usual: number;
	/** What the API gives at most. */
	most: number;
}

export const limitOption = ({what, usual, most}: Limit): Option =>
	new Option('--limit <count>', `${what}, at most ${most}`).default(usual).argParser(readCount(most));

const readCount =
	(most: number) =>
	(text: string): number => {
		const count = Number(text);
		if (!/^\d+$/.test(text) || count < 1 || count > most) {
			throw new InvalidArgumentError(`It must be a whole number from 1 to ${most}.`);
		}

		return count;
	};
