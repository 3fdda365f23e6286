/** Targets: what each is like now, when it was backed up, and when it should be. Made anew each time, so nothing of a target that is gone stays. */
import type {MakeGauge} from './family.ts';
import {seconds, setTime} from './family.ts';
import type {Observed} from './observed.ts';

export function targetFamilies(gauge: MakeGauge): {show: (observed: Observed) => void} {
	const count = gauge('targets', 'Targets found.');
	const unprotected = gauge('unprotected_volumes', 'Volumes and bind mounts that running containers write to and no target backs up.');
	const problems = gauge('target_problems', 'Mistakes that keep the target from being backed up.', ['target']);
	const firstSeen = gauge('first_seen_timestamp_seconds', 'When the target was first seen.', ['target']);
	const lastRun = gauge('last_run_timestamp_seconds', 'When the last backup of the target ended, whatever its outcome.', ['target']);
	const lastSuccess = gauge('last_success_timestamp_seconds', 'When the last successful backup of the target was made.', ['target']);
	const lastQuiesce = gauge('last_quiesce_seconds', 'How long the last backup kept the target quiesced.', ['target']);
	const quiesceLimit = gauge('quiesce_limit_seconds', 'The longest outage that the target allows.', ['target']);
	const nextRun = gauge('next_run_timestamp_seconds', 'When the next scheduled run begins.', ['target', 'operation']);
	const expected = gauge('expected_interval_seconds', 'The longest time between two scheduled runs.', ['target', 'operation']);
	const perTarget = [problems, firstSeen, lastRun, lastSuccess, lastQuiesce, quiesceLimit, nextRun, expected];
	return {
		show(observed) {
			for (const family of perTarget) {
				family.reset();
			}

			count.set(observed.targets.length);
			unprotected.set(observed.unprotectedVolumes);
			for (const {target, problems: found} of observed.targets) {
				problems.set({target}, found.length);
				setTime(firstSeen, {target}, (observed.firstSeen.get(target) ?? Number.NaN) / 1000);
				setTime(quiesceLimit, {target}, observed.quiesceLimitSeconds.get(target) ?? null);
			}

			for (const {target, lastRun: last, lastSuccess: success} of observed.status) {
				setTime(lastRun, {target}, last && seconds(last.startedAt) + last.durationSeconds);
				setTime(lastQuiesce, {target}, last && last.quiesceSeconds);
				setTime(lastSuccess, {target}, success && seconds(success.at));
			}

			for (const {target, operation, nextRun: next, expectedIntervalSeconds} of observed.scheduled) {
				setTime(nextRun, {target, operation}, next === null ? null : seconds(next));
				expected.set({target, operation}, expectedIntervalSeconds);
			}
		},
	};
}
