/**
 * Calls for each target when its cron line is due. The only importer of node-schedule, which keeps the timers (longer ones
 * than `setTimeout` can, and none too early); when a line is due is decided in `due.ts`.
 */
import {type Job, scheduleJob} from 'node-schedule';
import {type DueAfter, dueTimes} from './due.ts';

export interface ScheduleEntry {
	target: string;
	/** A cron line, as `parseCronLine` gives it. */
	line: string;
	/** Milliseconds since 1970: the later of when the target was first seen and when it last ran. A due time since then was missed. */
	since: number;
}

export interface ScheduleOptions {
	timeZone: string;
	/** A rejection is reported, with the target. */
	onDue: (target: string) => Promise<void>;
	report: (error: unknown, target: string) => void;
}

export interface Schedule {
	/**
	 * Replaces all entries; one whose line is unchanged keeps its place. A target that missed due times is called once, now.
	 * A target whose line changes is due by the new line from now on.
	 * @throws {UsageError} on a bad line, before anything was replaced.
	 */
	set: (entries: readonly ScheduleEntry[]) => void;
	/** When the target is due next; null when it has no entry. */
	next: (target: string) => Date | null;
	close: () => void;
}

interface Appointment {
	target: string;
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

	const call = async (target: string) => {
		try {
			await onDue(target);
		} catch (error) {
			report(error, target);
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
			void call(appointment.target);
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
			const after = new Map(entries.map(entry => [entry.target, keptOrNew(entry, before.get(entry.target), timeZone)]));
			appointments = after;
			for (const [target, {job}] of before) {
				if (after.get(target) !== before.get(target)) {
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
		next(target) {
			const appointment = appointments.get(target);
			return appointment ? new Date(appointment.next) : null;
		},
		close() {
			clearInterval(clock);
			for (const {job} of appointments.values()) {
				job?.cancel();
			}

			appointments.clear();
		},
	};
}

function keptOrNew({target, line, since}: ScheduleEntry, before: Appointment | undefined, timeZone: string): Appointment {
	if (before?.line === line) {
		return before;
	}

	const dueAfter = dueTimes(line, timeZone);
	const handled = before ? Date.now() : since;
	return {target, line, dueAfter, handled, next: dueAfter(handled)};
}
