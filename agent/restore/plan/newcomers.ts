/** Who was started, or made, since a restore was planned: to load may take hours. Pure. */
import {type Container, isUp, lastingName, workerLabel} from '../../../docker/container.ts';
import {sharesStorage} from '../../../docker/storage.ts';
import type {Restoration} from './plan.ts';
import type {Surroundings} from './stops.ts';

export const namesUp = (containers: readonly Container[]): ReadonlySet<string> => new Set(containers.filter(isUp).map(lastingName));

/**
 * Those that have in hand what is about to be replaced, and are not stopped for it: they would go on with what a rename took away, or in the middle of
 * what is written.
 * @param known who was up when it was planned
 */
export function newcomersTo(
	{sources, stop, into}: Pick<Restoration, 'sources' | 'stop' | 'into'>,
	known: ReadonlySet<string>,
	{containers, self}: Surroundings,
): string[] {
	const stopped = new Set(stop.map(({container}) => lastingName(container)));
	const replaced =
		into === undefined ? sources.flatMap(({mount, paths}) => (mount === undefined || paths !== undefined ? [] : [mount])) : [];
	return containers
		.filter(other => isUp(other) && !known.has(lastingName(other)) && !stopped.has(lastingName(other)))
		.filter(({id, labels}) => id !== self && labels[workerLabel] === undefined)
		.filter(({mounts}) => mounts.some(theirs => !theirs.isOfAll && replaced.some(mount => sharesStorage(theirs, mount))))
		.map(({name}) => name);
}
