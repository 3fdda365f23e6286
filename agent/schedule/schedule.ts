/**
 * Calls for each entry when its cron line is due. The only importer of node-schedule, which keeps the timers (longer ones
 * than `setTimeout` can, and none too early); when a line is due is decided in `base/due.ts`.
 */

import {type Job, scheduleJob} from 'node-schedule';
import type {Due, NextDue, ScheduleEntry} from '../../base/due.ts';
import {type DueAfter, dueTimes} from '../../base/due.ts';

export interface ScheduleOptions {
	timeZone: string;
	/** A rejection is reported, with what was due. */
	onDue: (due: Due) => Promise<void>;
	report: (error: unknown, due: Due) => void;
}

export interface Schedule {
	/**
	 * Replaces all entries; one whose line is unchanged keeps its place. One that missed due times is called once, now.
	 * One whose line changes is due by the new line from now on.
	 * @throws {UsageError} on a bad line, before anything was replaced.
	 */
	set: (entries: readonly ScheduleEntry[]) => void;
	/** When the operation is due next; null when it has no entry. */
	next: NextDue;
	/** Every entry, and when it is due next. */
	all: () => Array<Due & {line: string; next: Date}>;
	close: () => void;
}

interface Appointment {
	due: Due;
	line: string;
	dueAfter: DueAfter;
	/** What was due up to then is dealt with. */
	handled: number;
	next: number;
	job?: Job | null;
}

/** A clock that was set shows nowhere but in the clock: timers go on as they were armed. */
const lookAtClockMs = 60_000;

/** When the clock is set back by less, what was due meanwhile is not due again. By more, the clock had been wrong before. */
const setBackLimitMs = 3 * 60 * 60 * 1000;

/** @throws {UsageError} when there is no such time zone. */
export function createSchedule({timeZone, onDue, report}: ScheduleOptions): Schedule {
	dueTimes('@daily', timeZone);
	let appointments = new Map<string, Appointment>();

	const arm = (appointment: Appointment) => {
		appointment.job?.cancel();
		appointment.next = appointment.dueAfter(appointment.handled);
		// Null when the instant passes meanwhile: the next look at the clock finds it
		appointment.job = scheduleJob(new Date(appointment.next), () => visit(appointment));
	};

	const call = async (due: Due) => {
		try {
			await onDue(due);
		} catch (error) {
			report(error, due);
		}
	};

	const visit = (appointment: Appointment) => {
		const now = Date.now();
		const isDue = appointment.next <= now;
		if (isDue || appointment.handled - now > setBackLimitMs) {
			appointment.handled = now;
			arm(appointment);
		}

		if (isDue) {
			void call(appointment.due);
		}
	};

	const visitAll = () => {
		for (const appointment of appointments.values()) {
			visit(appointment);
		}
	};

	const clock = setInterval(visitAll, lookAtClockMs);
	clock.unref?.();

	return {
		set(entries) {
			const before = appointments;
			const after = new Map(entries.map(entry => [keyOf(entry), keptOrNew(entry, before.get(keyOf(entry)), timeZone)]));
			appointments = after;
			for (const [key, {job}] of before) {
				if (after.get(key) !== before.get(key)) {
					job?.cancel();
				}
			}

			for (const appointment of after.values()) {
				if (appointment.job === undefined) {
					arm(appointment);
					visit(appointment);
				}
			}
		},
		next(operation, subject, which) {
			const appointment = appointments.get(keyOf({operation, subject, ...which}));
			return appointment ? new Date(appointment.next) : null;
		},
		all: () => [...appointments.values()].map(({due, line, next}) => ({...due, line, next: new Date(next)})),
		close() {
			clearInterval(clock);
			for (const {job} of appointments.values()) {
				job?.cancel();
			}

			appointments.clear();
		},
	};
}

const keyOf = ({operation, subject, cold}: Due): string => `${operation} ${subject}${cold ? ' cold' : ''}`;

function keptOrNew({line, since, ...due}: ScheduleEntry, before: Appointment | undefined, timeZone: string): Appointment {
	if (before?.line === line) {
		return before;
	}

	const dueAfter = dueTimes(line, timeZone);
	const handled = before ? Date.now() : since;
	return {due, line, dueAfter, handled, next: dueAfter(handled)};
}
