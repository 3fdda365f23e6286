/**
 * When a cron line is due, in a time zone.
 *
 * cron-parser is only asked in UTC, about the time that a clock on the wall shows. Its own time zones are not used: asked from
 * within the repeated hour of autumn (an agent that restarts there) it gives a time again that was due an hour ago, and around
 * shifts of half an hour (Australia/Lord_Howe) it leaves times out in spring and doubles them in autumn.
 */

import {createOffsets, type OffsetAt} from './clock.ts';
import {parseCron} from './cron.ts';
import {UsageError} from './errors.ts';
import type {Operation} from './results.ts';

/** The first instant after this one at which the line is due; both in milliseconds since 1970. */
export type DueAfter = (instant: number) => number;

const dayMs = 24 * 60 * 60 * 1000;

/**
 * A line with fixed hours is due when the wall clock first shows its time *or a later one*: once where a time occurs twice,
 * and right after the gap where it does not occur. A line for every hour follows the hours that really pass.
 *
 * @throws {UsageError} when the line or the time zone is not one, or the line is never due.
 */
export function dueTimes(line: string, timeZone: string): DueAfter {
	const offsetAt = createOffsets(timeZone);
	const fields = line.trim().split(/\s+/).length;
	if (fields !== 5 && !/^\s*@\w+\s*$/.test(line)) {
		throw new UsageError(`a cron line must have five fields, got \`${line}\``);
	}

	try {
		const everyHour = parseCron(line).fields.hour.length === 24;
		const nextWall = (wall: number) => parseCron(line, wall).next().getTime();
		nextWall(Date.now());
		return everyHour ? instant => nextOfEveryHour(instant, nextWall, offsetAt) : instant => nextOfFixedHours(instant, nextWall, offsetAt);
	} catch (error) {
		throw new UsageError(`\`${line}\` is not a cron line that is ever due`, {cause: error});
	}
}

function nextOfFixedHours(after: number, nextWall: DueAfter, offsetAt: OffsetAt): number {
	for (let wall = nextWall(after + offsetAt(after)); ; wall = nextWall(wall)) {
		const instant = firstShowing(wall, offsetAt);
		// In the second pass of a repeated hour, what was due in the first is behind us
		if (instant > after) {
			return instant;
		}
	}
}

/** The first instant at which the wall clock shows this time or a later one. */
function firstShowing(wall: number, offsetAt: OffsetAt): number {
	const [before, after] = [offsetAt(wall - dayMs), offsetAt(wall + dayMs)];
	const fitting = [before, after].find(offset => offsetAt(wall - offset) === offset);
	return fitting === undefined ? firstChange(wall - after, wall - before, offsetAt) : wall - fitting;
}

function nextOfEveryHour(after: number, nextWall: DueAfter, offsetAt: OffsetAt): number {
	const offset = offsetAt(after);
	const due = nextWall(after + offset) - offset;
	if (offsetAt(due) === offset) {
		return due;
	}

	const change = firstChange(after, due, offsetAt);
	const changed = offsetAt(change);
	const dueThen = nextWall(change - 1 + changed) - changed;
	return changed > offset ? Math.min(due, dueThen) : dueThen;
}

/** The first instant in (from, to] whose offset is no longer that of `from`. */
function firstChange(from: number, to: number, offsetAt: OffsetAt): number {
	const offset = offsetAt(from);
	let [same, different] = [from, to];
	while (different - same > 1) {
		const middle = Math.floor((same + different) / 2);
		[same, different] = offsetAt(middle) === offset ? [middle, different] : [same, middle];
	}

	return different;
}

export type ScheduledOperation = Exclude<Operation, 'restore'>;

/** What is due: an operation, and the target or the repository that it is about. */
export interface Due {
	operation: ScheduledOperation;
	subject: string;
	/** A backup during which the target is stopped. */
	cold?: true;
}

/** At most one for each operation and subject. */
export interface ScheduleEntry extends Due {
	/** A cron line, as `readCronLine` gives it. */
	line: string;
	/** Milliseconds since 1970: the later of when the entry was first seen and when it last ran. A due time since then was missed. */
	since: number;
}

/** Everything that is due by schedule: when next, and since when there is such an entry, in milliseconds since 1970. */
export type Appointments = () => Array<Due & {line: string; next: Date; since: number}>;

/** When an operation on a target or a repository is due next; null when it has no entry. */
export type NextDue = (operation: ScheduledOperation, subject: string, which?: Pick<Due, 'cold'>) => Date | null;
