/** Points that hold much less than those before: data may have been lost, and then the older points are all that is left of it. */

export interface Sized {
	id: string;
	time: Date;
	sources: ReadonlyArray<{source: string; bytes: number}>;
}

/** A source of a point, and what it was before. */
export interface Shrunken<Point extends Sized = Sized> {
	point: Point;
	source: string;
	bytes: number;
	/** The median of the points before. */
	before: number;
}

interface Limits {
	/** The share that may go without being noticed: 0.5 is half. */
	limit: number;
	/** A person has looked at the points up to this moment: the newest of them is what later ones are measured against. */
	accepted?: Date | undefined;
}

/** How many points before are looked at: one odd one among them says nothing. */
const predecessors = 5;

/**
 * Each source by itself: a lost database must not hide behind a folder that grows. A point that shrank is no measure for those after it.
 * @param points newest first
 * @returns newest first
 */
export function shrunken<Point extends Sized>(points: readonly Point[], {limit, accepted}: Limits): Array<Shrunken<Point>> {
	const found: Array<Shrunken<Point>> = [];
	const history = new Map<string, number[]>();
	const looked = accepted === undefined ? -1 : points.findIndex(({time}) => time <= accepted);
	const measured = looked === -1 ? points : points.slice(0, looked + 1);
	for (const point of measured.toReversed()) {
		const bytesOf = new Map(point.sources.map(({source, bytes}) => [source, bytes]));
		const missing = [...history.keys()].filter(source => !bytesOf.has(source)).map(source => [source, 0] as const);
		for (const [source, bytes] of [...bytesOf, ...missing]) {
			const earlier = history.get(source) ?? [];
			const before = median(earlier);
			if (bytes < before * (1 - limit)) {
				found.unshift({point, source, bytes, before});
			} else {
				history.set(source, [...earlier, bytes].slice(-predecessors));
			}
		}
	}

	return found;
}

function median(values: readonly number[]): number {
	const sorted = values.toSorted((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
