/** Which points belong in a copy that has a policy of its own. Pure. */

import {isAhead} from '../../base/clock.ts';
import type {Keep} from '../../base/reading/keep.ts';
import {applyPolicy} from '../keep/policy.ts';
import type {Point} from '../repository/points.ts';

interface Circumstances {
	/** Undefined: everything is kept. */
	keep: Keep | undefined;
	timeZone: string;
	/** Milliseconds since 1970. */
	now: number;
}

/**
 * Of the points of the primary, those that the copy's policy keeps when it looks at them and at what the copy has, together: so that no point is
 * copied that would be removed again, and none that was removed comes back.
 */
export function worthCopying(points: readonly Point[], there: readonly Point[], {keep, ...circumstances}: Circumstances): Point[] {
	if (keep === undefined) {
		return [...points];
	}

	const known = new Set(there.map(({id}) => id));
	const all = [...there, ...points.filter(({id}) => !known.has(id))];
	const kept = new Set(
		[...Map.groupBy(all, ({target}) => target).values()].flatMap(ofTarget => {
			const newestFirst = ofTarget.toSorted((a, b) => b.time.getTime() - a.time.getTime());
			const reasons = applyPolicy(newestFirst, keep, circumstances);
			const newest = newestFirst.findIndex(({time}) => !isAhead(time, circumstances.now));
			return newestFirst.filter((_point, index) => index === newest || (reasons[index]?.length ?? 0) > 0).map(({id}) => id);
		}),
	);
	return points.filter(({id}) => kept.has(id));
}
