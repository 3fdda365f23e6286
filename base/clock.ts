/** What a clock on the wall of a time zone shows. */
import {UsageError} from './errors.ts';

/** The milliseconds by which the wall clock is ahead of UTC at an instant; both in milliseconds since 1970. */
export type OffsetAt = (instant: number) => number;

/** As the process began with it: what is set later counts for `Date` in some threads only. */
const {TZ: given} = process.env;

/** `Intl` knows it by this name. Asking for the list is cheap; behind the first `DateTimeFormat` stand 8 MB, which an agent at rest need not hold. */
const isListed = (timeZone: string): boolean => timeZone === 'UTC' || Intl.supportedValuesOf('timeZone').includes(timeZone);

/** @returns its usual name. @throws {RangeError} when there is no such time zone. */
export const findTimeZone = (name: string): string =>
	isListed(name) ? name : new Intl.DateTimeFormat('en', {timeZone: name}).resolvedOptions().timeZone;

/** The time zone of this process. */
export const ownTimeZone = (): string =>
	/\(Coordinated Universal Time\)$/.test(String(new Date())) ? 'UTC' : new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** @throws {UsageError} when there is no such time zone. */
export function createOffsets(timeZone: string): OffsetAt {
	if (timeZone === 'UTC') {
		return () => 0;
	}

	if (timeZone === given && isListed(timeZone)) {
		// In whole minutes, as every zone has had it since 1972
		return instant => -60_000 * new Date(instant).getTimezoneOffset();
	}

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
