/** Snapshots that belong to no point: first passes, and what runs that failed had stored before. Nobody needs them after the next point. */
import {RepositoryError} from './errors.ts';
import type {Restic, Snapshot} from './restic/restic.ts';
import {runTag} from './sources/names.ts';
import {firstPassTag} from './sources/volume.ts';

/**
 * Forgets first passes of runs that this agent has finished. Forgetting wants the repository for itself; while somebody else works
 * in it, it is left to a later sweep.
 */
export async function sweepFirstPasses(restic: Restic, isFinished: (run: string) => boolean): Promise<void> {
	const snapshots = await restic.snapshots([firstPassTag]);
	const ids = snapshots.filter(snapshot => isOf(snapshot, isFinished)).map(({id}) => id);
	if (ids.length === 0) {
		return;
	}

	try {
		await restic.forget(ids);
	} catch (error) {
		if (!(error instanceof RepositoryError && error.problem === 'locked')) {
			throw error;
		}
	}
}

const prefix = runTag('');

const isOf = ({tags}: Snapshot, isFinished: (run: string) => boolean) =>
	tags.some(tag => tag.startsWith(prefix) && isFinished(tag.slice(prefix.length)));
