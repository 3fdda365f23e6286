/** The agent's repository: opened once in a while, and again after a failure; made only where none was ever known. */
import {RepositoryError} from '../../base/errors.ts';
import type {Problem} from '../../base/problem.ts';
import {ensureRepository, type KnownRepository} from '../restic/open.ts';
import type {Access, Repository} from '../restic/repository.ts';
import {accessOf} from '../restic/repository.ts';
import type {Restic} from '../restic/restic.ts';

/** Which repository was known at a location before: so that one that is lost is never made anew. */
export interface KnownRepositories {
	knownRepository: (location: string) => string | undefined;
	rememberRepository: (location: string, id: string) => void;
	/** It refused that anything is removed. */
	isAppendOnly: (location: string) => boolean;
	rememberAccess: (location: string, access: 'append-only' | 'full') => void;
}

export interface RepositoryDoor {
	/** The repository's id. Cheap for a while after it succeeded. @throws {RepositoryError} */
	open: () => Promise<string>;
	/** Something failed with it: the next call asks the repository again. */
	doubt: () => void;
	/** What may be done in it: as it was said, as its file system shows, or as it was learned. */
	access: () => Access;
	/**
	 * Whether this is a refusal to remove anything, of a repository of which nobody said that all may be done in it. From then on it counts as
	 * append-only, and nobody tries again by himself.
	 */
	learn: (error: unknown) => boolean;
	/** Something was removed: so it may be. */
	unlearn: () => void;
}

/** A repository that goes away while the agent runs is noticed after this long, also when there is no run. */
const trustMs = 5 * 60_000;

const refused = /permission denied|operation not permitted/i;

interface DoorOptions {
	restic: Pick<Restic, 'id' | 'init'>;
	/** As `ensureRepository` has it. */
	settle?: KnownRepository['settle'];
	repository: Pick<Repository, 'location' | 'access' | 'quickKey'>;
	state: KnownRepositories;
	/** False: it is made by somebody else; a missing one is an error. */
	allowInit?: boolean;
	/** Why its folder cannot be used, where it is one. */
	examine?: () => Problem | undefined;
	/** Why something was refused in its folder, which seemed to be usable. */
	explain?: () => Problem | undefined;
	/** @throws when what was found here cannot be this repository. */
	check?: (id: string) => void;
	/** Milliseconds that only grow. */
	now?: () => number;
}

export function createRepositoryDoor({
	restic,
	settle,
	repository,
	state,
	allowInit = true,
	examine = () => undefined,
	explain = () => undefined,
	check = () => {},
	now = () => performance.now(),
}: DoorOptions): RepositoryDoor {
	const {location} = repository;
	const access = (): Access => accessOf(repository) ?? (state.isAppendOnly(location) ? 'append-only' : 'full');
	let opened: {id: Promise<string>; until: number; isAsking: boolean} | undefined;
	let last: Promise<unknown> = Promise.resolve();

	const open = async (): Promise<string> => {
		const problem = examine();
		if (problem !== undefined) {
			throw new RepositoryError('failed', problem.message, {hint: problem.hint});
		}

		await repository.quickKey?.find();
		const id = await ensureRepository({
			restic,
			// What was learned counts, too: nothing is removed there.
			settle: access() === 'full' ? settle : undefined,
			knownId: state.knownRepository(location),
			allowInit,
		}).catch((error: unknown) => {
			const why = error instanceof RepositoryError && refused.test(error.message) ? explain() : undefined;
			throw why === undefined ? error : new RepositoryError('failed', why.message, {hint: why.hint});
		});
		check(id);
		state.rememberRepository(repository.location, id);
		if (access() === 'full') {
			await repository.quickKey?.ensure();
		}

		return id;
	};

	/** One after the other, whoever doubts meanwhile: two that made it at once would leave two master keys, and one of them opens nothing. */
	const openInTurn = async (): Promise<string> => {
		const id = last.then(open);
		last = id.catch(() => {});
		return id;
	};

	return {
		access,
		learn(error) {
			const isLearned = error instanceof RepositoryError && error.problem === 'refused' && repository.access !== 'full';
			if (isLearned && access() === 'full') {
				state.rememberAccess(location, 'append-only');
			}

			return isLearned;
		},
		unlearn() {
			state.rememberAccess(location, 'full');
		},
		doubt() {
			// What is being asked just now is as good as what would be asked next, and is not asked behind it: a server that is away takes its time to say nothing.
			if (opened !== undefined) {
				opened.until = Number.NEGATIVE_INFINITY;
			}
		},
		async open() {
			if (opened === undefined || (now() >= opened.until && !opened.isAsking)) {
				opened = {id: openInTurn(), until: now() + trustMs, isAsking: true};
			}

			const attempt = opened;
			try {
				const id = await attempt.id;
				attempt.isAsking = false;
				return id;
			} catch (error) {
				if (opened === attempt) {
					opened = undefined;
				}

				throw error;
			}
		},
	};
}

/** The same for who asks all the time: a failure, too, is remembered for a while, so that a server that is switched off is left alone. */
export function rarely(door: RepositoryDoor, now = () => performance.now()): RepositoryDoor {
	let failure: {error: unknown; until: number} | undefined;
	return {
		...door,
		async open() {
			if (failure !== undefined && now() < failure.until) {
				throw failure.error;
			}

			failure = undefined;
			try {
				return await door.open();
			} catch (error) {
				failure = {error, until: now() + trustMs};
				throw error;
			}
		},
	};
}
