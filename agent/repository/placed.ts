/**
 * Of which services of Swarm a point is, and since when its agent had them: two tags of its manifest. A service keeps its id on whichever node it
 * runs, and no other Swarm has the same: so an agent that misses one sees whether another has it now.
 */
import {tagValue} from './names.ts';

export interface Placed {
	/** Ids, sorted. */
	services: readonly string[];
	/** Milliseconds since 1970, by the clock of the agent's host. To the second. */
	since: number;
}

const id = /^[a-z0-9]{25}$/;

export const placedTags = ({services, since}: {services: readonly string[]; since: string}): string[] => [
	`swarm:${services.toSorted().join('+')}`,
	`here-since:${Math.floor(Date.parse(since) / 1000)}`,
];

/** Undefined: it is of no service of Swarm, or an older version filed it. */
export function placedOf(tags: readonly string[]): Placed | undefined {
	const services = tagValue(tags, 'swarm')?.split('+') ?? [];
	const since = Number(tagValue(tags, 'here-since') ?? Number.NaN) * 1000;
	return services.length > 0 && services.every(each => id.test(each)) && Number.isFinite(since) ? {services, since} : undefined;
}
