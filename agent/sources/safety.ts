/** What a restore overwrites is stored first, in the way that a backup stores it; but it is no restore point. */
import {safetyTag} from '../repository/names.ts';
import type {PlannedSource} from './kind.ts';
import {createSource} from './kinds.ts';
import type {RestoreContext} from './restoring.ts';

export interface Safety {
	/** While the target runs: makes `keep` short. */
	prepare: () => Promise<void>;
	/** While it stands still. Gives the snapshot. */
	keep: () => Promise<string>;
	close: () => Promise<void>;
}

/** @param all what else is restored: a volume leaves alone what is mounted inside it */
export function safetyOf(source: PlannedSource, context: RestoreContext, index: number, all: readonly PlannedSource[]): Safety {
	const stored = createSource(source, {...context, restic: context.keeper.restic, tag: safetyTag, time: () => new Date()}, index, all);
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
