/** Targets: what each is like now, when it was backed up, and when it should be. Made anew each time, so nothing of a target that is gone stays. */
import type {Overview} from '../../base/shapes/targets.ts';
import {type MakeGauge, seconds, setTime} from './family.ts';

export function targetFamilies(gauge: MakeGauge): {show: (overview: Overview) => void} {
	const count = gauge('targets', 'Targets found.');
	const unprotected = gauge('unprotected_volumes', 'Volumes and bind mounts that running containers write to and no target backs up.');
	const problems = gauge('target_problems', 'Mistakes that keep the target from being backed up.', ['target']);
	const firstSeen = gauge('first_seen_timestamp_seconds', 'When the target was first seen.', ['target']);
	const lastRun = gauge('last_run_timestamp_seconds', 'When the last backup of the target ended, whatever its outcome.', ['target']);
	const lastSuccess = gauge('last_success_timestamp_seconds', 'When the last successful backup of the target was made.', ['target']);
	const lastRested = gauge(
		'last_rested_timestamp_seconds',
		'When a backup of the target was due last of which only what was stopped kept it from a success.',
		['target'],
	);
	const isRested = gauge('last_backup_rested', '1 where only what was stopped kept the last backup of the target from a success, else 0.', [
		'target',
	]);
	const lastDrill = gauge('drill_last_success_timestamp_seconds', 'When a drill last restored a point of the target whole.', ['target']);
	const lastQuiesce = gauge('last_quiesce_seconds', 'How long the last backup kept the target quiesced.', ['target']);
	const quiesceLimit = gauge('quiesce_limit_seconds', 'The longest outage that the target allows.', ['target']);
	const nextRun = gauge('next_run_timestamp_seconds', 'When the next scheduled run begins.', ['target', 'operation']);
	const expected = gauge('expected_interval_seconds', 'The longest time between two scheduled runs.', ['target', 'operation']);
	const since = gauge('scheduled_since_timestamp_seconds', 'From when on the operation was due by schedule.', ['target', 'operation']);
	const gone = gauge('target_gone_since_timestamp_seconds', 'Since when a target that was backed up is not found any more.', ['target']);
	const others = gauge('other_agents', 'Other agents that work on the same engine, or in the same repository.');
	const perTarget = [
		gone,
		problems,
		firstSeen,
		lastRun,
		lastSuccess,
		lastRested,
		isRested,
		lastDrill,
		lastQuiesce,
		quiesceLimit,
		nextRun,
		expected,
		since,
	];
	return {
		show({targets, scheduled, unprotected: left, ...overview}) {
			for (const family of perTarget) {
				family.reset();
			}

			for (const {target, since: missed} of overview.gone) {
				gone.set({target}, seconds(missed));
			}

			others.set(overview.liveOthers);
			count.set(targets.length);
			unprotected.set(left.length);
			for (const {view, status, ...rest} of targets) {
				const {target} = view;
				const {lastRun: last, lastSuccess: success, lastDrillSuccess: drilled} = status;
				problems.set({target}, view.problems.length);
				firstSeen.set({target}, rest.firstSeen / 1000);
				quiesceLimit.set({target}, rest.quiesceLimitSeconds);
				setTime(lastRun, {target}, last && seconds(last.startedAt) + last.durationSeconds);
				if (last !== null) {
					isRested.set({target}, Number(last.rested === true));
				}

				setTime(lastQuiesce, {target}, last === null ? null : last.quiesceSeconds);
				setTime(lastSuccess, {target}, success && seconds(success.at));
				setTime(lastRested, {target}, status.rested === undefined ? null : seconds(status.rested));
				setTime(lastDrill, {target}, drilled && seconds(drilled.at));
			}

			for (const {target, operation, nextRun: next, ...entry} of scheduled) {
				setTime(nextRun, {target, operation}, next === null ? null : seconds(next));
				expected.set({target, operation}, entry.expectedIntervalSeconds);
				since.set({target, operation}, entry.since / 1000);
			}
		},
	};
}
