/** What a restore overwrites is stored first, in the way that a backup stores it; but it is no restore point. */
import {explain, RepositoryError, RunError} from '../../base/errors.ts';
import {safetyTag} from '../repository/names.ts';
import type {Replaced, RestoreContext, UndoContext} from './restoring.ts';
import type {Source, SourceContext} from './source.ts';

export interface Safety {
	/** While the target runs: makes `keep` short. */
	prepare: () => Promise<void>;
	/** While the target runs, and is stopped next: starts what takes time to start. */
	arm: () => Promise<void>;
	/** While it stands still. Gives the snapshot; null where nothing can be kept, which was acknowledged. */
	keep: () => Promise<string | null>;
	close: () => Promise<void>;
}

/** @param backup of the same source */
export function safetyOf(context: RestoreContext, backup: (context: SourceContext) => Source): Safety {
	if (context.keeper === undefined) {
		return {prepare: async () => {}, arm: async () => {}, keep: async () => null, close: async () => {}};
	}

	const stored = backup({...context, restic: context.keeper.restic, tag: safetyTag, time: () => new Date()});
	return {
		async prepare() {
			await stored.prepare();
			await stored.firstPass();
		},
		arm: stored.arm,
		async keep() {
			await stored.pin(context.signal);
			return (await stored.store()).snapshot;
		},
		close: stored.close,
	};
}

/** As the journal has it. */
export async function keptBy({keep}: Pick<Safety, 'keep'>): Promise<Pick<Replaced, 'unkept'> & {safety: string | null}> {
	const safety = await keep();
	return safety === null ? {safety, unkept: true} : {safety};
}

/** Somebody else may be at work in the repository: what cannot be forgotten now is swept after the next backup. */
export async function forgetSafety({safety}: {safety: string | null}, {restic, tell}: UndoContext): Promise<void> {
	if (safety === null) {
		return;
	}

	try {
		await restic.forget([safety]);
	} catch (error) {
		if (!(error instanceof RepositoryError && ['locked', 'refused'].includes(error.problem))) {
			throw error;
		}

		// Where nothing may be removed, it stays with the rest.
		if (error.problem === 'refused') {
			return;
		}

		tell({
			type: 'warning',
			message: `the safety snapshot ${safety.slice(0, 8)} is forgotten after the next backup, because ${explain(error)}`,
		});
	}
}

/** @throws {RunError} where what was overwritten was not kept */
export function assertKept({source, unkept}: Pick<Replaced, 'source' | 'unkept'>): void {
	if (unkept) {
		throw new RunError(`what was there before of \`${source}\` was not kept, because no repository could be written`, {
			hint: 'restore it anew',
		});
	}
}

/** For people. */
export const describeSafety = ({safety}: {safety: string | null}): string | undefined =>
	safety === null ? undefined : `snapshot ${safety.slice(0, 8)}`;
