/** What a restore overwrites is stored first, in the way that a backup stores it; but it is no restore point. */
import {explain, RepositoryError} from '../../base/errors.ts';
import {safetyTag} from '../repository/names.ts';
import type {RestoreContext, UndoContext} from './restoring.ts';
import type {Source, SourceContext} from './source.ts';

export interface Safety {
	/** While the target runs: makes `keep` short. */
	prepare: () => Promise<void>;
	/** While it stands still. Gives the snapshot. */
	keep: () => Promise<string>;
	close: () => Promise<void>;
}

/** @param backup of the same source */
export function safetyOf(context: RestoreContext, backup: (context: SourceContext) => Source): Safety {
	const stored = backup({...context, restic: context.keeper.restic, tag: safetyTag, time: () => new Date()});
	return {
		async prepare() {
			await stored.prepare();
			await stored.firstPass();
		},
		async keep() {
			await stored.arm();
			await stored.pin(context.signal);
			return (await stored.store()).snapshot;
		},
		close: stored.close,
	};
}

/** Somebody else may be at work in the repository: what cannot be forgotten now is swept after the next backup. */
export async function forgetSafety({safety}: {safety: string | null}, {restic, tell}: UndoContext): Promise<void> {
	if (safety === null) {
		return;
	}

	try {
		await restic.forget([safety]);
	} catch (error) {
		if (!(error instanceof RepositoryError && error.problem === 'locked')) {
			throw error;
		}

		tell({
			type: 'warning',
			message: `the safety snapshot ${safety.slice(0, 8)} is forgotten after the next backup, because ${explain(error)}`,
		});
	}
}

/** For people. */
export const describeSafety = ({safety}: {safety: string | null}): string | undefined =>
	safety === null ? undefined : `snapshot ${safety.slice(0, 8)}`;
