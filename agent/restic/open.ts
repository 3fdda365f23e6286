/** Opens a repository, and makes a new one only where none was ever known. */
import {setTimeout as delay} from 'node:timers/promises';
import {RepositoryError} from '../../base/errors.ts';
import type {Restic} from './restic.ts';
import {damagedIn, type SettleOptions} from './settle.ts';

/** Who makes one while another does finds its key, and a moment later its configuration. */
const waitingMs = 60_000;

const lookMs = 1000;

export interface KnownRepository {
	restic: Pick<Restic, 'id' | 'init'>;
	/**
	 * Sees to it that a new one, which others may have made at the same moment, is opened by its key. Undefined: nothing may be removed there.
	 * @returns the repository's id
	 */
	settle?: ((found: Pick<SettleOptions, 'id' | 'isMade'>) => Promise<string>) | undefined;
	/** The id that was found at this location before, if any. */
	knownId: string | undefined;
	/** False: a missing repository is an error even where none was known. */
	allowInit: boolean;
	signal?: AbortSignal | undefined;
	/** How long to wait for the one that another makes. */
	waitMs?: number;
}

/**
 * The id of the repository, to be remembered.
 * @throws {RepositoryError} `missing` also when it was known and is gone: an empty folder, because its volume is not mounted, must never
 * become a new repository in silence. `failed` when there is another one than before.
 */
export async function ensureRepository({restic, knownId, allowInit, signal, settle, waitMs = waitingMs}: KnownRepository): Promise<string> {
	const id = await idOrMissing(restic, signal).catch(async (error: unknown) => {
		if (settle === undefined || knownId !== undefined || damagedIn(error) === undefined) {
			throw error;
		}

		return settle({isMade: false});
	});
	if (typeof id === 'string') {
		return knownId === undefined ? (settle?.({id, isMade: false}) ?? id) : sameAsBefore(id, knownId);
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

	const isMade = await make({restic, signal, waitMs});
	return (settle?.({isMade}) ?? restic.id(signal)).catch((error: unknown) => {
		throw damagedIn(error) === undefined ? error : madeBySeveral(error as RepositoryError);
	});
}

/** @returns whether it was not another agent that made it meanwhile */
async function make({restic, signal, waitMs}: Pick<KnownRepository, 'restic' | 'signal'> & {waitMs: number}): Promise<boolean> {
	try {
		await restic.init();
		return true;
	} catch (error) {
		if (!(error instanceof RepositoryError && /already (?:contains keys|exists|initialized)/.test(error.message))) {
			throw error;
		}

		for (const deadline = performance.now() + waitMs; ; ) {
			const found = await idOrMissing(restic, signal).catch((opening: unknown) => {
				if (damagedIn(opening) === undefined) {
					throw opening;
				}

				return '';
			});
			if (typeof found === 'string') {
				return false;
			}

			if (performance.now() >= deadline) {
				throw new RepositoryError('failed', error.message, {
					hint: 'it has keys and no configuration: whoever made it was ended meanwhile, and nothing is stored in it; remove its folder `keys`',
					cause: error,
				});
			}

			await delay(lookMs, undefined, signal && {signal});
		}
	}
}

const madeBySeveral = (error: RepositoryError): RepositoryError =>
	new RepositoryError('failed', `${error.message}; it was made a moment ago`, {
		hint: 'several agents made it at the same moment, and left keys that open nothing: as long as nothing is stored in it, remove it, and let one agent make it before the others start',
		cause: error,
	});

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

function sameAsBefore(id: string, knownId: string): string {
	if (knownId !== id) {
		throw new RepositoryError('failed', `Another repository than before is at this location: its id is ${id}, it was ${knownId}`, {
			hint: 'mount the repository that was here before; to go on with this one, start with an empty state volume',
		});
	}

	return id;
}
