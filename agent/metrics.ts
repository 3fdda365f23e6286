/** What Prometheus scrapes. The only importer of prom-client. */
import {Counter, Gauge, Histogram, Registry} from 'prom-client';
import type {RunView, StatusView, TargetView} from './agent.ts';
import {
	type BackupResult,
	type EventHub,
	type FinishedEvent,
	isRepositoryTarget,
	type Operation,
	type Outcome,
	type RunResult,
} from './events.ts';

/** What is true at the time of a scrape. */
export interface Observed {
	targets: readonly TargetView[];
	status: readonly StatusView[];
	engineUp: boolean;
	/** Containers that are paused or stopped by a run now. */
	quiescedContainers: number;
}

export interface MetricsOptions {
	hub: EventHub;
	version: string;
	/** Finished runs, newest first: at least the last successful backup of each target. Gauges begin with them; counters begin at 0, as Prometheus expects after a restart. */
	history: readonly RunView[];
	/** Called for each scrape. When it rejects, `engine_up` is 0 and the rest shows the last answer. */
	collect: () => Promise<Observed>;
	report: (error: unknown) => void;
	/** How long a scrape waits for `collect`. */
	collectMs?: number | undefined;
}

export interface Metrics {
	/** Never rejects. */
	text: () => Promise<string>;
	contentType: string;
}

const outcomes: readonly Outcome[] = ['success', 'partial', 'failed'];
const quiesceBuckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

export function createMetrics({hub, version, history, collect, report, collectMs = 8000}: MetricsOptions): Metrics {
	const registry = new Registry();
	const families = createFamilies(registry);
	families.buildInfo.set({version}, 1);
	const past = createPast();
	for (const {operation, durationSeconds, result} of history.toReversed()) {
		if (result) {
			past.add(operation, result, durationSeconds);
		}
	}

	/** Targets that have series in the counters and the histogram. */
	const counted = new Set<string>();
	const began = new Map<string, number>();
	hub.listen(event => {
		if (event.type === 'step' && !began.has(event.run)) {
			began.set(event.run, event.at);
		}

		if (event.type !== 'finished') {
			return;
		}

		const start = began.get(event.run);
		began.delete(event.run);
		counted.add(event.target);
		count(families, event);
		past.add(event.operation, event.result, start === undefined ? null : (event.at - start) / 1000);
	});

	let observed: Observed = {targets: [], status: [], engineUp: false, quiescedContainers: 0};
	let known = false;
	const observe = async (): Promise<void> => {
		try {
			const answer = await withinTime(collect(), collectMs);
			// Without the engine nobody knows which targets there are; those known before have not gone.
			observed = answer.engineUp || !known ? answer : {...observed, engineUp: false, quiescedContainers: answer.quiescedContainers};
			known ||= answer.engineUp;
		} catch (error) {
			report(error);
			observed = {...observed, engineUp: false};
		}
	};

	let underWay: Promise<void> | undefined;
	return {
		contentType: registry.contentType,
		async text() {
			underWay ??= observe().finally(() => {
				underWay = undefined;
			});
			await underWay;
			if (known) {
				forgetGone(families, counted, observed.targets);
			}

			show(families, observed, counted);
			showPast(families, past, known ? new Set(observed.targets.map(({target}) => target)) : undefined);
			return registry.metrics();
		},
	};
}

type Families = ReturnType<typeof createFamilies>;

function createFamilies(registry: Registry) {
	const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
		new Gauge({name: `holdfast_${name}`, help, labelNames, registers: [registry]});
	return {
		lastSuccess: gauge('last_success_timestamp_seconds', 'When the last successful backup of the target was made.', ['target']),
		lastRun: gauge('last_run_timestamp_seconds', 'When the last backup of the target ended, whatever its outcome.', ['target']),
		nextRun: gauge('next_run_timestamp_seconds', 'When the next scheduled backup of the target begins.', ['target']),
		targetProblems: gauge('target_problems', 'Mistakes that keep the target from being backed up.', ['target']),
		runDuration: gauge('run_duration_seconds', 'How long the last run of the operation on the target took.', ['target', 'operation']),
		backupBytes: gauge('backup_bytes', 'Size of the source in the last successful backup.', ['target', 'source']),
		backupAddedBytes: gauge('backup_added_bytes', 'What the source added to the repository in the last successful backup.', [
			'target',
			'source',
		]),
		targets: gauge('targets', 'Targets found.'),
		quiescedContainers: gauge('quiesced_containers', 'Containers that are quiesced now.'),
		engineUp: gauge('engine_up', '1 while the engine answers.'),
		buildInfo: gauge('build_info', 'Always 1; the labels say which build this is.', ['version']),
		runs: new Counter({
			name: 'holdfast_runs_total',
			help: 'Finished runs.',
			labelNames: ['target', 'operation', 'outcome'],
			registers: [registry],
		}),
		quiesce: new Histogram({
			name: 'holdfast_quiesce_seconds',
			help: 'How long a backup kept the target quiesced; only runs that quiesced something.',
			labelNames: ['target'],
			buckets: quiesceBuckets,
			registers: [registry],
		}),
	};
}

function count({runs, quiesce}: Families, {target, operation, result}: FinishedEvent): void {
	runs.inc({target, operation, outcome: result.outcome});
	if (isBackup(operation, result) && result.quiesceSeconds > 0) {
		quiesce.observe({target}, result.quiesceSeconds);
	}
}

/** What runs left behind that the agent's views do not tell. */
function createPast() {
	const durations = new Map<string, Map<Operation, number>>();
	const backups = new Map<string, BackupResult>();
	return {
		durations,
		backups,
		add(operation: Operation, result: RunResult, runSeconds: number | null): void {
			const duration = 'durationSeconds' in result ? result.durationSeconds : runSeconds;
			if (duration !== null) {
				durations.set(result.target, (durations.get(result.target) ?? new Map()).set(operation, duration));
			}

			if (isBackup(operation, result) && result.outcome === 'success') {
				backups.set(result.target, result);
			}
		},
	};
}

const isBackup = (operation: Operation, result: RunResult): result is BackupResult => operation === 'backup' && 'sources' in result;

/** Gauges are made anew for each scrape, so nothing of a target that is gone can stay. */
function show(families: Families, {targets, status, engineUp, quiescedContainers}: Observed, counted: Set<string>): void {
	families.engineUp.set(engineUp ? 1 : 0);
	families.targets.set(targets.length);
	families.quiescedContainers.set(quiescedContainers);
	for (const family of [families.targetProblems, families.lastRun, families.lastSuccess, families.nextRun]) {
		family.reset();
	}

	for (const {target, problems} of targets) {
		families.targetProblems.set({target}, problems.length);
		// A counter that begins at 0 lets `increase()` see the first run.
		counted.add(target);
		for (const outcome of outcomes) {
			families.runs.inc({target, operation: 'backup', outcome}, 0);
		}
	}

	for (const {target, lastRun, lastSuccess, nextRun} of status) {
		setTime(families.lastRun, target, lastRun && seconds(lastRun.startedAt) + lastRun.durationSeconds);
		setTime(families.lastSuccess, target, lastSuccess && seconds(lastSuccess.at));
		setTime(families.nextRun, target, nextRun === null ? null : seconds(nextRun));
	}
}

function showPast(
	{runDuration, backupBytes, backupAddedBytes}: Families,
	past: ReturnType<typeof createPast>,
	present: Set<string> | undefined,
): void {
	for (const family of [runDuration, backupBytes, backupAddedBytes]) {
		family.reset();
	}

	for (const [target, durations] of past.durations) {
		const isGone = present?.has(target) === false && !isRepositoryTarget(target);
		for (const [operation, duration] of isGone ? [] : durations) {
			runDuration.set({target, operation}, duration);
		}
	}

	for (const [target, {sources}] of past.backups) {
		for (const {source, bytes, addedBytes} of present?.has(target) === false ? [] : sources) {
			backupBytes.set({target, source}, bytes);
			backupAddedBytes.set({target, source}, addedBytes);
		}
	}
}

function forgetGone({runs, quiesce}: Families, counted: Set<string>, targets: readonly TargetView[]): void {
	const present = new Set(targets.map(({target}) => target));
	for (const target of [...counted].filter(target => !present.has(target) && !isRepositoryTarget(target))) {
		counted.delete(target);
		quiesce.remove({target});
		for (const operation of ['backup', 'restore', 'drill', 'copy', 'prune', 'check'] satisfies Operation[]) {
			for (const outcome of outcomes) {
				runs.remove({target, operation, outcome});
			}
		}
	}
}

const seconds = (iso: string): number => Date.parse(iso) / 1000;

function setTime(family: Gauge<'target'>, target: string, time: number | null): void {
	if (time !== null && Number.isFinite(time)) {
		family.set({target}, time);
	}
}

async function withinTime<Value>(promise: Promise<Value>, timeMs: number): Promise<Value> {
	const {promise: over, reject} = Promise.withResolvers<never>();
	const timer = setTimeout(() => reject(new Error(`what the metrics show could not be collected within ${timeMs / 1000} s`)), timeMs);
	try {
		return await Promise.race([promise, over]);
	} finally {
		clearTimeout(timer);
	}
}
