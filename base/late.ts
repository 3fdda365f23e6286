/** When a backup is late: one rule for alerts, dashboard, page, bot, pings and `status`. monitoring/allowed-age.ts has it as PromQL. */

/** A quarter of an interval, for a run that takes its time; and an hour, for one that waits and for clocks that change. */
export const allowedShare = 1.25;
export const graceSeconds = 3600;

/** @param since of the last success, or since when it is due; milliseconds since 1970, as `now` */
export const isLate = (since: number, expectedIntervalSeconds: number, now: number): boolean =>
	now - since > (allowedShare * expectedIntervalSeconds + graceSeconds) * 1000;
