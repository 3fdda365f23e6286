/** Opens a repository, and makes a new one only where none was ever known. */
import {RepositoryError} from '../../base/errors.ts';
import type {Restic} from './restic.ts';

export interface KnownRepository {
	restic: Pick<Restic, 'id' | 'init'>;
	/** The id that was found at this location before, if any. */
	knownId: string | undefined;
	/** False: a missing repository is an error even where none was known. */
	allowInit: boolean;
	signal?: AbortSignal | undefined;
}

/**
 * The id of the repository, to be remembered.
 * @throws {RepositoryError} `missing` also when it was known and is gone: an empty folder, because its volume is not mounted, must never
 * become a new repository in silence. `failed` when there is another one than before.
 */
export async function ensureRepository({restic, knownId, allowInit, signal}: KnownRepository): Promise<string> {
	const id = await idOrMissing(restic, signal);
	if (typeof id === 'string') {
		return sameAsBefore(id, knownId);
	}

	if (knownId !== undefined) {
		throw new RepositoryError('missing', `${id.message}; it was here before, with the id ${knownId}, and is gone`, {
			hint: 'check that its volume is mounted; to start over with a new repository, start with an empty state volume',
			cause: id,
		});
	}

	if (!allowInit) {
		throw id;
	}

	await restic.init();
	try {
		return await restic.id(signal);
	} catch (error) {
		throw error instanceof RepositoryError && error.problem === 'failed'
			? new RepositoryError('failed', `${error.message}; it was made a moment ago`, {
					hint: 'several agents that find none and make one at the same moment leave several keys, and all but one open nothing: as long as nothing is stored in it, remove it, and let one agent make it before the others start',
					cause: error,
				})
			: error;
	}
}

async function idOrMissing(restic: Pick<Restic, 'id'>, signal: AbortSignal | undefined): Promise<string | RepositoryError> {
	try {
		return await restic.id(signal);
	} catch (error) {
		if (error instanceof RepositoryError && error.problem === 'missing') {
			return error;
		}

		throw error;
	}
}

function sameAsBefore(id: string, knownId: string | undefined): string {
	if (knownId !== undefined && knownId !== id) {
		throw new RepositoryError('failed', `Another repository than before is at this location: its id is ${id}, it was ${knownId}`, {
			hint: 'mount the repository that was here before; to go on with this one, start with an empty state volume',
		});
	}

	return id;
}
