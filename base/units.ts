import prettyBytes from 'pretty-bytes';
import prettyMilliseconds from 'pretty-ms';

export const size = (bytes: number): string => prettyBytes(bytes);

/** For comparing: `7.50 GiB`, or below one `512.0 MiB`. */
export const room = (bytes: number): string =>
	bytes < 1024 ** 3 ? `${(bytes / 1024 ** 2).toFixed(1)} MiB` : `${(bytes / 1024 ** 3).toFixed(2)} GiB`;

/** `340ms`, `2.5s`, `3m 12s`. */
export function duration(seconds: number): string {
	return seconds < 60
		? prettyMilliseconds(Math.round(seconds * 1000), {secondsDecimalDigits: 1})
		: prettyMilliseconds(Math.round(seconds) * 1000, {unitCount: 2});
}

const units = [
	['d', 86_400_000],
	['h', 3_600_000],
	['min', 60_000],
	['s', 1000],
] as const;

/** `3 h ago`, `in 5 min`, `now`; `-` for no time at all. */
export function when(iso: string | null, now: number): string {
	if (iso === null) {
		return '-';
	}

	const difference = Date.parse(iso) - now;
	const unit = units.find(([, length]) => Math.abs(difference) >= length);
	if (!unit) {
		return 'now';
	}

	const count = `${Math.floor(Math.abs(difference) / unit[1])} ${unit[0]}`;
	return difference < 0 ? `${count} ago` : `in ${count}`;
}

/** `2025-11-03 03:00:12` in the zone of this process. */
export function moment(iso: string): string {
	const time = new Date(iso);
	if (Number.isNaN(time.getTime())) {
		return iso;
	}

	const day = [time.getFullYear(), time.getMonth() + 1, time.getDate()];
	const clock = [time.getHours(), time.getMinutes(), time.getSeconds()];
	return `${day.map(twoDigits).join('-')} ${clock.map(twoDigits).join(':')}`;
}

const twoDigits = (count: number): string => String(count).padStart(2, '0');
