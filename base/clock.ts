/** What a clock on the wall of a time zone shows. */
import {UsageError} from './errors.ts';

/** The milliseconds by which the wall clock is ahead of UTC at an instant; both in milliseconds since 1970. */
export type OffsetAt = (instant: number) => number;

/** @throws {UsageError} when there is no such time zone. */
export function createOffsets(timeZone: string): OffsetAt {
	const format = openTimeZone(timeZone);
	return instant => {
		const [, sign, hours, minutes, seconds] = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(format.format(instant)) ?? [];
		const offsetSeconds = Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
		return (sign === '-' ? -1000 : 1000) * offsetSeconds;
	};
}

function openTimeZone(timeZone: string): Intl.DateTimeFormat {
	try {
		return new Intl.DateTimeFormat('en-US', {timeZone, timeZoneName: 'longOffset'});
	} catch (error) {
		throw new UsageError(`\`${timeZone}\` is not a time zone`, {cause: error, hint: 'write a name such as `Europe/Berlin` or `UTC`'});
	}
}

/** Times are kept to the second, and clocks differ a little. */
const aheadMs = 5 * 60_000;

/** A time that is still to come: the clock was ahead then, or is behind now. Nothing that goes by times may take it for the newest. */
export const isAhead = (time: Date, now: number): boolean => time.getTime() - now > aheadMs;
