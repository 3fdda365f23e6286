/** The table of sources that are put back, and of what they replaced. */
import {explain, RepositoryError} from '../../base/errors.ts';
import {dropReplacedDatabase, postgresRestoring, rollBackDatabase} from './postgres/restore.ts';
import type {Replacement, RestoreContext, Restoring, RestoringSource, UndoContext} from './restoring.ts';
import {removeReplacedFile, rollBackFile, sqliteRestoring} from './sqlite/restore.ts';
import {rollBackTar, tarRestoring} from './tar/restore.ts';
import {rollBackVolume, volumeRestoring} from './volume/restore.ts';
import {filesRestoring, removeReplacedFiles, rollBackFiles} from './volume/single-files.ts';

/** @param all the sources of the run: a volume leaves alone what is mounted inside it */
export function createRestoring(
	source: RestoringSource,
	context: RestoreContext,
	index: number,
	all: readonly RestoringSource[],
): Restoring {
	switch (source.kind) {
		case 'postgres':
			return postgresRestoring(source, context, index);
		case 'sqlite':
			return sqliteRestoring(source, context);
		case 'volume':
			return source.paths === undefined
				? volumeRestoring(source, context, index, all)
				: filesRestoring({...source, paths: source.paths}, context);
		case 'tar':
			return tarRestoring(source, context, index);
	}
}

/** Puts back what was there before the restore, however far that came. Doing it twice changes nothing. */
export async function rollBack(replacement: Replacement, context: UndoContext): Promise<void> {
	switch (replacement.kind) {
		case 'postgres':
			return rollBackDatabase(replacement, context);
		case 'sqlite':
			return rollBackFile(replacement, context);
		case 'volume':
			return rollBackVolume(replacement, context);
		case 'files':
			return rollBackFiles(replacement, context);
		case 'tar':
			return rollBackTar(replacement, context);
	}
}

/** Lets go of what was replaced. Doing it twice changes nothing. */
export async function release(replacement: Replacement, context: UndoContext): Promise<void> {
	switch (replacement.kind) {
		case 'postgres':
			return dropReplacedDatabase(replacement, context);
		case 'sqlite':
			return removeReplacedFile(replacement, context);
		case 'files':
			return removeReplacedFiles(replacement, context);
		default:
			return replacement.safety === null ? undefined : forgetSafety(replacement.safety, context);
	}
}

/** Somebody else may be at work in the repository: what cannot be forgotten now is swept after the next backup. */
async function forgetSafety(snapshot: string, {restic, tell}: UndoContext): Promise<void> {
	try {
		await restic.forget([snapshot]);
	} catch (error) {
		if (!(error instanceof RepositoryError && error.problem === 'locked')) {
			throw error;
		}

		tell({
			type: 'warning',
			message: `the safety snapshot ${snapshot.slice(0, 8)} is forgotten after the next backup, because ${explain(error)}`,
		});
	}
}
