/** An order that looks like chance and is none: it can be had again by its seed. */
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {fileURLToPath} from 'node:url';

/** The names in an order of their own for each seed. Pure. */
export const drawn = <Item>(items: readonly Item[], seed: string, nameOf: (item: Item) => string): Item[] => {
	const rank = (item: Item) =>
		createHash('sha256')
			.update(`${seed} ${nameOf(item)}`)
			.digest('hex');
	return items
		.map(item => ({item, rank: rank(item)}))
		.sort((one, other) => one.rank.localeCompare(other.rank))
		.map(({item}) => item);
};

/** The commit that is checked out; so that each commit draws something else, and the same again. */
export const commit = (): string => {
	try {
		const cwd = fileURLToPath(new URL('../../../', import.meta.url));
		return execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], {cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']}).trim();
	} catch {
		return 'no-commit';
	}
};
