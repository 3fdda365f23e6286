/** How a verb deals with locks, which stands in its arguments. */
import type {Arguments} from './argv.ts';
import {accessOf, type Repository} from './repository.ts';
import type {ResticOptions} from './restic.ts';

export interface Locking {
	/** Waits for another's to go away. */
	patiently: (verb: Arguments) => Arguments;
	/** Takes none, and heeds none. */
	withoutLocking: (verb: Arguments) => Arguments;
}

/** The option stands behind the verb, where nothing can take it for an argument. Where nothing can be written, nobody removes anything either. */
export function createLocking(
	repository: Repository,
	{lockPatienceSeconds = 60, withoutLock = false}: Pick<ResticOptions, 'lockPatienceSeconds' | 'withoutLock'>,
): Locking {
	const withoutLocking: Locking['withoutLocking'] = ([verb = '', ...rest]) => [verb, '--no-lock', ...rest];
	return {
		withoutLocking,
		patiently: ([verb = '', ...rest]) =>
			withoutLock || accessOf(repository) === 'read-only'
				? withoutLocking([verb, ...rest])
				: [verb, `--retry-lock=${lockPatienceSeconds}s`, ...rest],
	};
}
