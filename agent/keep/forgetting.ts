/** Removes points, whole: nobody ever sees one that has lost a snapshot, whenever the agent is killed. */

import {runOfTag} from '../repository/names.ts';
import {holdsManifest, type Marked, type Point} from '../repository/points.ts';
import type {Restic} from '../restic/restic.ts';
import type {Housekeeping} from '../state/housekeeping.ts';

type Journal = Pick<Housekeeping, 'rememberForgetting' | 'forgetting' | 'clearForgetting'>;

/**
 * The manifests go first: from then on they are no points, and what is left of them is in the journal.
 * @param others snapshots of no point: they go with the manifests, because each call of restic takes its time
 * @throws {RepositoryError} what was begun is ended by `finishForgetting`
 */
export async function forgetPoints(
	restic: Pick<Restic, 'forget'>,
	journal: Journal,
	points: readonly Point[],
	{others = [], signal}: {others?: readonly string[]; signal?: AbortSignal | undefined} = {},
): Promise<void> {
	if (points.length === 0 && others.length === 0) {
		return;
	}

	const rest = points.flatMap(({sources}) => sources.map(({snapshot}) => snapshot));
	journal.rememberForgetting(rest);
	await restic.forget([...others, ...points.map(({manifest}) => manifest)], signal);
	await restic.forget(rest, signal);
	journal.clearForgetting();
}

/** Ends what a kill or an error interrupted. @param snapshots all of the repository */
export async function finishForgetting(restic: Pick<Restic, 'forget'>, journal: Journal, snapshots: readonly Marked[]): Promise<void> {
	const begun = journal.forgetting();
	if (begun.size > 0) {
		await restic.forget(withoutPoint(snapshots, begun));
		journal.clearForgetting();
	}
}

/** Pure: those of the snapshots that were to go and whose manifest is gone. A point that still has its own stays whole. */
export function withoutPoint(snapshots: readonly Marked[], begun: ReadonlySet<string>): string[] {
	const runOf = ({tags}: Marked) => tags.map(runOfTag).find(run => run !== undefined);
	const published = new Set(snapshots.filter(holdsManifest).map(runOf));
	return snapshots.filter(snapshot => begun.has(snapshot.id) && !published.has(runOf(snapshot))).map(({id}) => id);
}
