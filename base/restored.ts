/** One line for people of what a restore does to a storage, and who else has it. */
import type {RestoredStorage} from './shapes/restores.ts';

const mostNamed = 10;

export function describeRestored({source, storage, written, removed, unknown, mountedBy}: RestoredStorage): string {
	const files = written === null ? 'unknown how many files are written' : `${count(written, 'file')} written`;
	const gone = removed === null ? 'unknown how many are removed' : `${removed} removed`;
	const why = unknown === undefined ? '' : ` (${unknown})`;
	const named = mountedBy.slice(0, mostNamed).map(({container, readWrite, stopped}) => {
		const does = readWrite ? 'writes' : 'reads';
		return `${container} (${does}${stopped ? ', stopped' : ''})`;
	});
	const more = mountedBy.length > mostNamed ? ` and ${mountedBy.length - mostNamed} more` : '';
	const others = named.length === 0 ? '' : `, mounted by ${named.join(', ')}${more}, too`;
	return `${source}: ${files}, ${gone}${why}; ${storage}${others}`;
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
