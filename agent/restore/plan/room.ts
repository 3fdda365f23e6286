/** Whether the files of a restore fit where they belong; the room for databases is asked of their servers, when it is checked whether they can take them. */

import {explain} from '../../../base/errors.ts';
import {runId} from '../../../base/ids.ts';
import type {NamedRepository} from '../../repository/repositories.ts';
import {hired} from '../../runs/shell.ts';
import type {Workshop} from '../../runs/workshop.ts';
import type {RoomContext} from '../../sources/kind.ts';
import {kindOf} from '../../sources/kinds.ts';
import {mountsOf} from '../../sources/mounts.ts';
import {roomProblems} from '../../sources/room.ts';
import type {Restoration} from './plan.ts';
import {type Counts, countAll} from './storages.ts';

type Sources = Restoration['sources'];

/** Nothing is changed. @returns what does not fit */
export const fileRoomProblems = async (sources: Sources, asked: Omit<RoomContext, 'all'>): Promise<string[]> =>
	roomProblems(
		asked.worker,
		sources.flatMap(source => {
			const writing = kindOf(source.kind).writing?.(source, {...asked, all: sources});
			return writing === undefined ? [] : [{...writing, source: source.name}];
		}),
		asked.signal,
	);

/**
 * The same, before there is a run, and how many files would be written and removed: in a worker of its own, which may only read.
 */
export async function filesAhead(
	workshop: Pick<Workshop, 'hire'>,
	from: NamedRepository,
	sources: Sources,
): Promise<{problems: string[]; counts: Counts}> {
	if (sources.every(({kind}) => kindOf(kind).writing === undefined)) {
		return {problems: [], counts: new Map()};
	}

	try {
		return await hired(workshop, `plan-${runId(Date.now())}`, async workforce => {
			const mounts = mountsOf(sources).map(mount => ({...mount, readOnly: true}));
			const {run: worker} = await workforce.repository(mounts, 'read');
			const asked = {worker, restic: from.restic(worker)};
			const problems = await fileRoomProblems(sources, {...asked, signal: new AbortController().signal});
			return {problems, counts: problems.length > 0 ? new Map() : await countAll(sources, asked)};
		});
	} catch (error) {
		return {problems: [`whether there is room for the files is not known: ${explain(error)}`], counts: new Map()};
	}
}
