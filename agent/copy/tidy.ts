/** What no rule keeps in a copy goes, and what interrupted copies left there. */
import {explain} from '../../base/errors.ts';
import type {Tell} from '../../base/events.ts';
import {forgetPoints} from '../keep/forgetting.ts';
import {runOfTag} from '../repository/names.ts';
import {holdsManifest, type Point} from '../repository/points.ts';
import type {CopyRepository} from '../repository/repositories.ts';
import type {Restic, Snapshot} from '../restic/restic.ts';
import type {CopyProgress} from './batch.ts';

export interface Tidying {
	to: CopyRepository;
	/** The copy's restic, in the worker. */
	into: Restic;
	progress: CopyProgress;
	/** Of the points that the copy has, those that no rule keeps there. */
	retire: (there: readonly Point[]) => Promise<readonly Point[]>;
	/** Also remove the data that nothing there needs any more: it takes its time. */
	prune: boolean;
	/** A run of this agent that ended; never one of somebody else. */
	isOver: (run: string) => boolean;
	signal: AbortSignal;
	tell: Tell;
}

const noJournal = {rememberForgetting: () => {}, forgetting: () => new Set<string>(), clearForgetting: () => {}};

/**
 * After a copy that brought everything. What a kill leaves of a point whose manifest is gone, a later run finds.
 * @param points of the primary
 * @param there those that the copy has
 */
export async function tidy(
	{to, into, progress, retire, prune, isOver, signal, tell}: Tidying,
	{points, snapshots, there}: {points: readonly Point[]; snapshots: readonly Snapshot[]; there: readonly Point[]},
): Promise<void> {
	if (to.access() !== 'full') {
		return;
	}

	try {
		const left = leftIn(snapshots, points, isOver);
		const retired = await retire(there);
		if (left.length + retired.length > 0) {
			tell({type: 'step', step: 'forget', subject: `${retired.length} of the restore points`});
			await forgetPoints(into, noJournal, retired, {signal});
			progress.removed = retired.length;
			progress.points = (progress.points ?? 0) - retired.length;
			if (left.length > 0) {
				await into.forget(left, signal);
			}
		}

		if (prune) {
			tell({type: 'step', step: 'prune'});
			await into.prune({signal});
			progress.pruned = true;
		}
	} catch (error) {
		signal.throwIfAborted();
		const why = to.learn(error) ? 'it refuses that, and counts as append-only from now on: docs/append-only.md' : explain(error);
		tell({type: 'warning', message: `every point is there, but what is kept no longer could not be removed: ${why}`});
	}
}

/** Pure: what an interrupted copy left of points that the primary has no more. Nothing of a run that has a manifest, or of somebody else. */
export function leftIn(there: readonly Snapshot[], points: readonly Point[], isOver: (run: string) => boolean): string[] {
	const kept = new Set([...points.map(({id}) => id), ...there.filter(holdsManifest).map(runOf)]);
	return there.filter(snapshot => !kept.has(runOf(snapshot)) && isOver(runOf(snapshot))).map(({id}) => id);
}

const runOf = ({tags}: Snapshot): string => tags.map(runOfTag).find(run => run !== undefined) ?? '';
