/** What was in the point before, and is not backed up any more. Said when it is new: the next point is without it. Pure. */
import type {Plan} from '../plan/planned.ts';
import type {Point} from '../repository/points.ts';

/** @param points newest first */
export function goneSince([before]: readonly Point[], {sources, absent}: Pick<Plan, 'sources' | 'absent'>): string[] {
	const present = new Set(sources.map(({name}) => name));
	return (before?.sources ?? [])
		.filter(({source}) => !present.has(source) && !absent.some(known => source === known.source || source.startsWith(`${known.source}:`)))
		.map(
			({source}) =>
				`\`${source}\` was in the point before (${before?.id}), and is not there any more, or not asked for: this point is without it`,
		);
}
