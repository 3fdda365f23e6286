/**
 * Of which services of Swarm a point is, since when its agent had them, and which Swarm it is: tags of its manifest. A service keeps its id on
 * whichever node it runs, and no other Swarm has the same: so an agent that misses one sees whether another has it now. A Swarm is known by
 * its managers, on every node; only managers know its own id.
 */
import type {Manifest} from './manifest.ts';
import {tagValue} from './names.ts';

export interface Placed {
	/** Ids, sorted. */
	services: readonly string[];
	/** Milliseconds since 1970, by the clock of the agent's host. To the second. */
	since: number;
	/** Ids of nodes; none: an older version filed it, or the engine did not say. */
	managers: readonly string[];
}

const id = /^[a-z0-9]{25}$/;

export const placedTags = ({services, since, managers = []}: NonNullable<Manifest['swarm']>): string[] => [
	`swarm:${services.toSorted().join('+')}`,
	`here-since:${Math.floor(Date.parse(since) / 1000)}`,
	...(managers.length === 0 ? [] : [`swarm-managers:${managers.toSorted().join('+')}`]),
];

/** Undefined: it is of no service of Swarm, or an older version filed it. */
export function placedOf(tags: readonly string[]): Placed | undefined {
	const ids = (name: string) => tagValue(tags, name)?.split('+') ?? [];
	const [services, managers] = [ids('swarm'), ids('swarm-managers').filter(each => id.test(each))];
	const since = Number(tagValue(tags, 'here-since') ?? Number.NaN) * 1000;
	return services.length > 0 && services.every(each => id.test(each)) && Number.isFinite(since) ? {services, since, managers} : undefined;
}
