/**
 * Which points a `keep` policy keeps, and for which reasons: as `restic forget` decides, but on points, and in the agent's time zone; and what is of
 * the future takes nobody's place.
 */

import {createOffsets, isAhead, type OffsetAt} from '../../base/clock.ts';
import type {Keep} from '../../base/reading/keep.ts';

interface Timed {
	time: Date;
}

interface Circumstances {
	/** An IANA name: hours, days, weeks, months and years are those of its wall clock. */
	timeZone: string;
	/** Milliseconds since 1970. */
	now: number;
}

/** The wall clock, in the fields of a UTC date. */
type Wall = (time: Date) => Date;

type Rule = Exclude<keyof Keep, 'within'>;

/** Why a point stays: a rule keeps it, or its time is still to come. */
export type Reason = keyof Keep | 'ahead';

/** Two points with the same key are of the same hour, day, …. */
const buckets: Record<Rule, (wall: Date, index: number) => number> = {
	last: (_wall, index) => index,
	hourly: wall => Math.floor(wall.getTime() / 3_600_000),
	daily: wall => dayOf(wall),
	weekly: wall => Math.floor((dayOf(wall) + 3) / 7),
	monthly: wall => wall.getUTCFullYear() * 12 + wall.getUTCMonth(),
	yearly: wall => wall.getUTCFullYear(),
};

/** Days since 1970, which began on a Thursday; weeks begin on Mondays. */
const dayOf = (wall: Date): number => Math.floor(wall.getTime() / 86_400_000);

/**
 * Of each bucket the newest point counts. While a rule has not found as many as it may keep, it also keeps the oldest point of all, so that
 * the history is as long as it can be. A point whose time is still to come stays, and counts for no rule: it would be the newest for years, and each
 * new point the first to go.
 * @param points newest first
 * @returns the reasons for each point; none where the policy removes it
 */
export function applyPolicy<Point extends Timed>(points: readonly Point[], keep: Keep, {timeZone, now}: Circumstances): Reason[][] {
	const ahead = points.filter(({time}) => isAhead(time, now)).map((): Reason[] => ['ahead']);
	return [...ahead, ...applyRules(points.slice(ahead.length), keep, {timeZone, now})];
}

/** For people. */
export const describeReason = (reason: Reason, {within}: Keep): string =>
	reason === 'ahead' ? 'its time is still to come' : reason === 'within' ? `within ${within}` : reason;

function applyRules<Point extends Timed>(points: readonly Point[], keep: Keep, {timeZone, now}: Circumstances): Reason[][] {
	const offsetAt = createOffsets(timeZone);
	const wallOf: Wall = time => new Date(time.getTime() + offsetAt(time.getTime()));
	const reasons = points.map((): Reason[] => []);
	for (const rule of Object.keys(buckets) as Rule[]) {
		for (const index of chosen(points, keep[rule] ?? 0, (point, at) => buckets[rule](wallOf(point.time), at))) {
			reasons[index]?.push(rule);
		}
	}

	const {within} = keep;
	if (within !== undefined) {
		const latest = points.find(({time}) => time.getTime() < now);
		const since = latest ? earlier(latest.time.getTime(), within, offsetAt) : Number.NEGATIVE_INFINITY;
		for (const [index, {time}] of points.entries()) {
			if (time.getTime() > since) {
				reasons[index]?.push('within');
			}
		}
	}

	return reasons;
}

function chosen<Point>(points: readonly Point[], count: number, keyOf: (point: Point, index: number) => number): number[] {
	const indices: number[] = [];
	let previous: number | undefined;
	for (const [index, point] of points.entries()) {
		const key = keyOf(point, index);
		if (indices.length < count && (key !== previous || index === points.length - 1)) {
			indices.push(index);
			previous = key;
		}
	}

	return indices;
}

const amountIn = (period: string, unit: string): number => Number(new RegExp(`(\\d+)${unit}`).exec(period)?.[1] ?? 0);

/** At least as long as the period is, whichever months it has. */
export const longestMs = (period: string): number =>
	(((amountIn(period, 'y') * 12 + amountIn(period, 'm')) * 31 + amountIn(period, 'd')) * 24 + amountIn(period, 'h')) * 3_600_000;

/** The instant at which the wall clock showed the same time, so many years, months and days before; then so many hours earlier. */
function earlier(instant: number, period: string, offsetAt: OffsetAt): number {
	const wall = new Date(instant + offsetAt(instant));
	// A day that a month does not have is one of the next month.
	wall.setUTCFullYear(
		wall.getUTCFullYear() - amountIn(period, 'y'),
		wall.getUTCMonth() - amountIn(period, 'm'),
		wall.getUTCDate() - amountIn(period, 'd'),
	);
	const shown = wall.getTime();
	return shown - offsetAt(shown - offsetAt(shown)) - amountIn(period, 'h') * 3_600_000;
}
