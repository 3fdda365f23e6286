/** The ids of runs: `20261121t031502-x7k2q9d`. */
import {randomInt} from 'node:crypto';

/** In the order of their codes, so that text sorts like numbers; without the letters that are mistaken for digits. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * A new id: the second in UTC, then two characters for the milliseconds and five at random. Sorts by time as text; safe in
 * tags, paths, host names and container names.
 *
 * @param now milliseconds since 1970
 */
export function runId(now: number): string {
	const time = new Date(now).toISOString();
	const second = time.slice(0, 19).replaceAll(/[-:]/g, '').toLowerCase();
	return `${second}-${milliseconds(new Date(now).getUTCMilliseconds())}${Array.from({length: 5}, randomCharacter).join('')}`;
}

const milliseconds = (count: number) => character(count >> 5) + character(count & 31);
const randomCharacter = () => character(randomInt(alphabet.length));
const character = (index: number) => alphabet.charAt(index);
