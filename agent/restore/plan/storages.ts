/** What a restore does to each storage, and who else uses it: for the person who says yes. */
import {explain} from '../../../base/errors.ts';
import {inTurns} from '../../../base/in-turns.ts';
import type {RestoredStorage} from '../../../base/shapes/restores.ts';
import {type Container, type Mount, workerLabel} from '../../../docker/container.ts';
import {describeStorage, sharesStorage} from '../../../docker/storage.ts';
import type {Counted, RoomContext} from '../../sources/kind.ts';
import {kindOf} from '../../sources/kinds.ts';
import {type RestoringSource, subjectOf} from '../../sources/restoring.ts';
import type {Restoration} from './plan.ts';

/** Nobody who plans waits longer for a count. */
const countingMs = 60_000;

export type Counts = ReadonlyMap<RestoringSource, Counted & {why?: string | undefined}>;

/** All together within a limit; what could not be counted says why. */
export async function countAll(sources: Restoration['sources'], context: Omit<RoomContext, 'all' | 'signal'>): Promise<Counts> {
	const signal = AbortSignal.timeout(countingMs);
	const counts = await inTurns(sources, async source => {
		const counting = kindOf(source.kind).count?.(source, {...context, all: sources, signal});
		const counted = await counting?.catch((error: unknown) => ({
			written: undefined,
			removed: undefined,
			why: signal.aborted ? `counting took longer than ${countingMs / 1000} s` : explain(error),
		}));
		return counted === undefined ? [] : [[source, counted] as const];
	});
	return new Map(counts.flat());
}

/** Pure. */
export function storagesOf({target, sources, stop}: Restoration, containers: readonly Container[], counts: Counts): RestoredStorage[] {
	const stopped = new Set(stop.map(({container}) => container.id));
	return sources.flatMap(source => {
		const counted = counts.get(source);
		if (counted === undefined) {
			return [];
		}

		const {name, mount, container} = source;
		const others = mount === undefined ? [] : othersOf(mount, container, containers);
		return [
			{
				source: subjectOf({...source, name}, target),
				storage: mount === undefined ? `container ${container.name}` : describeStorage(mount),
				written: counted.written ?? null,
				removed: counted.removed ?? null,
				...(counted.why === undefined ? {} : {unknown: counted.why}),
				mountedBy: others.map(({id, name: by, mounts}) => ({
					container: by,
					readWrite: mounts.some(theirs => theirs.readWrite && mount !== undefined && sharesStorage(theirs, mount)),
					stopped: stopped.has(id),
				})),
			},
		];
	});
}

const othersOf = (mount: Mount, own: Container, containers: readonly Container[]): Container[] =>
	containers.filter(
		({id, labels, mounts}) => id !== own.id && labels[workerLabel] === undefined && mounts.some(theirs => sharesStorage(theirs, mount)),
	);
