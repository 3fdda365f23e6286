/** Which snapshots of a copy are those of a point. */
import {RunError} from '../../base/errors.ts';
import {runTag, sourceTag, targetTag} from '../repository/names.ts';
import type {Point} from '../repository/points.ts';
import type {Snapshot} from '../restic/restic.ts';

/**
 * Pure. The ids that the snapshots of a point have in the copy: those of the same run, source and content. `extra`: what else is there of
 * the run, which is no point there: with it the new one would not be whole, or not be read.
 * @throws {RunError} when a snapshot is not there
 */
export function counterparts(
	{id, filedAs, sources}: Point,
	here: readonly Snapshot[],
	there: readonly Snapshot[],
): {ids: Map<string, string>; extra: string[]} {
	const ofRun = there.filter(({tags}) => tags.includes(runTag(id)) && tags.includes(targetTag(filedAs)));
	const ids = new Map<string, string>();
	for (const {source, snapshot} of sources) {
		const tree = here.find(candidate => candidate.id === snapshot)?.tree;
		const found = ofRun.find(candidate => tree && candidate.tree === tree && candidate.tags.includes(sourceTag(source)));
		if (found === undefined) {
			throw new RunError(
				`\`${source}\` is not in the copy with the same content, although restic copied snapshot ${snapshot.slice(0, 8)}`,
				{
					hint: 'run `restic check` on both repositories',
				},
			);
		}

		ids.set(snapshot, found.id);
	}

	const chosen = new Set(ids.values());
	return {ids, extra: ofRun.filter(snapshot => !chosen.has(snapshot.id)).map(snapshot => snapshot.id)};
}
