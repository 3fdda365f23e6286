/** The agent's repository: opened once, and again after a failure; made only where none was ever known. */
import {ensureRepository} from './restic/open.ts';
import type {Repository, Restic} from './restic/restic.ts';
import type {State} from './state.ts';

export interface RepositoryDoor {
	/** The repository's id. Cheap once it succeeded. @throws {RepositoryError} */
	open: () => Promise<string>;
}

export function createRepositoryDoor({restic, repository, state}: {restic: Restic; repository: Repository; state: State}): RepositoryDoor {
	let opened: Promise<string> | undefined;

	const open = async (): Promise<string> => {
		const id = await ensureRepository({restic, knownId: state.knownRepository(repository.location), allowInit: true});
		state.rememberRepository(repository.location, id);
		return id;
	};

	return {
		async open() {
			opened ??= open();
			try {
				return await opened;
			} catch (error) {
				opened = undefined;
				throw error;
			}
		},
	};
}
