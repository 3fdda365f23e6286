/** What differs from the point before. Said when it is new: the next point has it, or is without it. Pure. */
import type {Plan, Surveyed} from '../plan/planned.ts';
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

/** Where nobody named what is backed up. @param points newest first */
export const foundSince = (
	[before]: readonly Point[],
	{target: {members}, plan: {sources}}: Pick<Surveyed, 'target' | 'plan'>,
): string[] =>
	before === undefined || members.every(({suggestion}) => suggestion === undefined)
		? []
		: sources
				.filter(({name}) => !before.sources.some(({source}) => source === name))
				.map(({name}) => `\`${name}\` is new: it was found without a label (HOLDFAST_AUTO), and is backed up from now on`);
