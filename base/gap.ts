/** How long may pass between two due times of a cron line, so that what is overdue can be told from what is not due yet. */
import {type CronFields, parseCron} from './cron.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** Leap years come round in four, but for one in a hundred. */
const mostDays = 9 * 366;

const known = new Map<string, number>();

/**
 * The longest time between two due times, in milliseconds. On the wall's clock: an hour that is left out or repeated does not count.
 *
 * @param line of five fields
 */
export function longestGapMs(line: string): number {
	const found = known.get(line) ?? computeLongestGap(line);
	// Lines are hostile input too: as many as there are labels
	if (known.size > 1000) {
		known.clear();
	}

	known.set(line, found);
	return found;
}

function computeLongestGap(line: string): number {
	const {fields} = parseCron(line);
	const times = fields.hour.flatMap(hours => fields.minute.map(minutes => (hours * 60 + minutes) * minuteMs));
	const [first = 0, last = 0] = [times[0], times.at(-1)];
	return Math.max(longestStep(times), longestStep(dueDays(fields)) - (last - first));
}

const longestStep = (instants: readonly number[]): number =>
	Math.max(0, ...instants.slice(1).map((instant, index) => instant - (instants[index] ?? 0)));

/** The days of a year on which the line is due, and the next one; where it is due more seldom, the first two. */
function dueDays(fields: CronFields): number[] {
	const isDue = dayTest(fields);
	const found: number[] = [];
	for (let day = 0; day < mostDays && (day <= 366 || found.length < 2); day++) {
		if (isDue(new Date(day * dayMs))) {
			found.push(day * dayMs);
		}
	}

	const start = found.length > 1 ? undefined : found[0];
	return start === undefined ? found : [start, start + 366 * dayMs];
}

/** Where both kinds of day are given, either is enough, as cron has it. */
function dayTest({dayOfMonth, month, dayOfWeek}: CronFields): (day: Date) => boolean {
	const [dates, months, weekdays] = [
		new Set<number>(dayOfMonth as number[]),
		new Set<number>(month),
		new Set<number>(dayOfWeek.map(day => day % 7)),
	];
	const [everyDate, everyWeekday] = [dates.size === 31, weekdays.size === 7];
	return day => {
		const [onDate, onWeekday] = [dates.has(day.getUTCDate()), weekdays.has(day.getUTCDay())];
		const fits = everyDate ? onWeekday : everyWeekday ? onDate : onDate || onWeekday;
		return fits && months.has(day.getUTCMonth() + 1);
	};
}
