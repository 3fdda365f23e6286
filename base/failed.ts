/** Results of runs that failed before they had anything to tell but why. */
import {explain} from './errors.ts';
import type {BackupResult, CheckResult, CopyResult, DrillResult, PruneResult, RestoreResult} from './results.ts';

/** `run` is `''` where none was begun. `endedAt`: now, without it. */
export interface Begun {
	run: string;
	target: string;
	startedAt: Date;
	endedAt?: Date;
}

const common = ({run, target, startedAt, endedAt = new Date()}: Begun, error: unknown) => ({
	run,
	target,
	outcome: 'failed' as const,
	startedAt: startedAt.toISOString(),
	durationSeconds: (endedAt.getTime() - startedAt.getTime()) / 1000,
	error: explain(error),
});

/** One for each operation; that of an import is that of a backup. */
export const failed = {
	/** @param sources names of those that were to be backed up */
	backup: (begun: Begun, error: unknown, sources: readonly string[] = []): BackupResult => ({
		...common(begun, error),
		point: null,
		quiesceSeconds: 0,
		sources: sources.map(source => ({source, outcome: 'failed', snapshot: null, bytes: 0, addedBytes: 0})),
	}),
	restore: ({run, target}: Pick<Begun, 'run' | 'target'>, point: string, error: unknown): RestoreResult => ({
		run,
		target,
		point,
		outcome: 'failed',
		replaced: [],
		outageSeconds: 0,
		error: explain(error),
	}),
	/** @param point `''` where none was found */
	drill: (begun: Begun, point: string, error: unknown): DrillResult => ({...common(begun, error), point, sources: []}),
	copy: (begun: Begun, error: unknown): CopyResult => ({...common(begun, error), copied: 0, removed: 0, pruned: false, points: null}),
	prune: (begun: Begun, error: unknown): PruneResult => ({...common(begun, error), removed: [], held: [], bytes: null}),
	check: (begun: Begun, error: unknown): CheckResult => ({...common(begun, error), readData: null}),
};
