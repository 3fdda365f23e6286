/** Runs: how many ended how, how long they took, what they stored. Begins with the history in the state database, so a restart changes nothing. */
import {Counter, Histogram, type Registry} from 'prom-client';
import type {FinishedEvent} from '../../base/events.ts';
import {
	type BackupResult,
	doneAt,
	type Finished,
	finishedAs,
	isRepositoryTarget,
	type Operation,
	type Outcome,
	resultOf,
} from '../../base/results.ts';
import type {RunView} from '../../base/shapes/runs.ts';
import {gaugesOf} from './family.ts';

/** What all runs before left behind. */
export interface History {
	/** Finished runs, newest first: at least the last one of each target and operation, and its last success. */
	latest: readonly RunView[];
	counts: ReadonlyArray<{target: string; operation: Operation; outcome: Outcome; count: number}>;
	/** Of every backup that quiesced something. */
	quiesced: ReadonlyArray<{target: string; quiesceSeconds: number}>;
}

const outcomes: readonly Outcome[] = ['success', 'partial', 'failed'];
const quiesceBuckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

/** The last run of one operation on one target. */
interface Last {
	operation: Operation;
	outcome: Outcome;
	durationSeconds: number | null;
	/** When the last successful one ended, in milliseconds since 1970. */
	succeededAt: number | null;
}

export function runFamilies(registry: Registry, {latest, counts, quiesced}: History) {
	const gauge = gaugesOf(registry);
	const labelNames = ['target', 'operation', 'outcome'] as const;
	const runs = new Counter({name: 'holdfast_runs_total', help: 'Finished runs.', labelNames, registers: [registry]});
	const quiesce = new Histogram({
		name: 'holdfast_quiesce_seconds',
		help: 'How long a backup kept the target quiesced; only runs that quiesced something.',
		labelNames: ['target'],
		buckets: quiesceBuckets,
		registers: [registry],
	});
	const duration = gauge('run_duration_seconds', 'How long the last run of the operation on the target took.', ['target', 'operation']);
	const lastOutcome = gauge(
		'last_run_outcome',
		'1 for the outcome of the last run of the operation on the target, 0 for the others.',
		labelNames,
	);
	const lastSuccess = gauge('run_last_success_timestamp_seconds', 'When the last successful run of the operation on the target ended.', [
		'target',
		'operation',
	]);
	const bytes = gauge('backup_bytes', 'Size of the source in the last successful backup.', ['target', 'source']);
	const addedBytes = gauge('backup_added_bytes', 'What the source added to the repository in the last successful backup.', [
		'target',
		'source',
	]);

	const past = createPast();
	/** Targets that have series in the counter and the histogram, with their operations. */
	const counted = new Map<string, Set<Operation>>();
	const count = (target: string, operation: Operation, outcome: Outcome, by: number) => {
		runs.inc({target, operation, outcome}, by);
		counted.set(target, (counted.get(target) ?? new Set()).add(operation));
	};

	for (const {operation, startedAt, durationSeconds, result} of latest.toReversed()) {
		if (result) {
			const endedAt = Date.parse(startedAt) + (durationSeconds ?? 0) * 1000;
			past.add(finishedAs(operation, result), {seconds: durationSeconds, endedAt});
		}
	}

	for (const {target, operation, outcome, count: by} of counts) {
		count(target, operation, outcome, by);
	}

	for (const {target, quiesceSeconds} of quiesced) {
		quiesce.observe({target}, quiesceSeconds);
	}

	const forgetGone = (present: ReadonlySet<string>): void => {
		for (const [target, operations] of counted) {
			if (!present.has(target) && !isRepositoryTarget(target)) {
				counted.delete(target);
				quiesce.remove({target});
				for (const operation of operations) {
					for (const outcome of outcomes) {
						runs.remove({target, operation, outcome});
					}
				}
			}
		}
	};

	return {
		add(event: FinishedEvent, runSeconds: number | null): void {
			const {target, operation, at} = event;
			count(target, operation, event.result.outcome, 1);
			const quiesceSeconds = resultOf('backup', event)?.quiesceSeconds ?? 0;
			if (quiesceSeconds > 0) {
				quiesce.observe({target}, quiesceSeconds);
			}

			past.add(event, {seconds: runSeconds, endedAt: at});
		},
		/** @param present the targets that there are; undefined while nobody knows */
		show(present: ReadonlySet<string> | undefined): void {
			const isGone = (target: string) => present?.has(target) === false && !isRepositoryTarget(target);
			for (const family of [duration, lastOutcome, lastSuccess, bytes, addedBytes]) {
				family.reset();
			}

			if (present !== undefined) {
				forgetGone(present);
			}

			for (const target of present ?? []) {
				// A counter that begins at 0 lets `increase()` see the first run.
				for (const outcome of outcomes) {
					count(target, 'backup', outcome, 0);
				}
			}

			for (const [target, lasts] of past.lasts) {
				for (const {operation, outcome: last, durationSeconds, succeededAt} of isGone(target) ? [] : lasts.values()) {
					if (durationSeconds !== null) {
						duration.set({target, operation}, durationSeconds);
					}

					if (succeededAt !== null) {
						lastSuccess.set({target, operation}, succeededAt / 1000);
					}

					for (const outcome of outcomes) {
						lastOutcome.set({target, operation, outcome}, Number(outcome === last));
					}
				}
			}

			for (const [target, {sources}] of past.backups) {
				for (const source of isGone(target) ? [] : sources) {
					bytes.set({target, source: source.source}, source.bytes);
					addedBytes.set({target, source: source.source}, source.addedBytes);
				}
			}
		},
	};
}

/** What runs left behind that the agent's views do not tell. */
function createPast() {
	const lasts = new Map<string, Map<Operation, Last>>();
	const backups = new Map<string, BackupResult>();
	return {
		lasts,
		backups,
		add(finished: Finished, {seconds, endedAt}: {seconds: number | null; endedAt: number}): void {
			const {operation} = finished;
			const {target, outcome} = finished.result;
			const durationSeconds = finished.operation === 'restore' ? seconds : finished.result.durationSeconds;
			const ofTarget = lasts.get(target) ?? new Map<Operation, Last>();
			const succeededAt = outcome === 'success' ? doneAt(finished.result, endedAt) : (ofTarget.get(operation)?.succeededAt ?? null);
			lasts.set(target, ofTarget.set(operation, {operation, outcome, durationSeconds, succeededAt}));
			const backup = resultOf('backup', finished);
			if (backup?.outcome === 'success') {
				backups.set(target, backup);
			}
		},
	};
}
