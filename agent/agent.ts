/** The one door: the scheduler, the command line, the HTTP API and Slack all call this. */
import type {Problem} from '../docker/labels.ts';
import type {BackupResult, Operation, Outcome, RestoreResult, RunEvent, RunResult} from './events.ts';
import type {Plan} from './plan.ts';

/** One row of `targets --json`. */
export interface TargetView {
	target: string;
	/** Names of its containers, joined with a comma. */
	container: string;
	/** The engine's word, of the first container. */
	state: string;
	sources: string[];
	quiesce: 'none' | 'pause' | 'stop';
	schedule: string;
	problems: Problem[];
}

/** One row of `status --json`. */
export interface StatusView {
	target: string;
	/** The run under way, if any. */
	running: string | null;
	lastRun: {run: string; outcome: Outcome; startedAt: string; durationSeconds: number; quiesceSeconds: number; error?: string} | null;
	lastSuccess: {run: string; at: string} | null;
	/** ISO 8601; null where the target has problems. */
	nextRun: string | null;
	problems: Problem[];
}

/** One row of `points --json`, newest first. */
export interface PointView {
	/** The id of the run that published it. */
	point: string;
	target: string;
	/** The moment that it shows, ISO 8601. */
	time: string;
	sources: Array<{source: string; snapshot: string; bytes: number}>;
}

/** One row of `runs --json`, newest first. */
export interface RunView {
	run: string;
	target: string;
	operation: Operation;
	trigger: string;
	state: 'queued' | 'running' | 'finished';
	outcome: Outcome | null;
	startedAt: string;
	durationSeconds: number | null;
	result: RunResult | null;
}

/** One row of `doctor --json`. */
export interface Finding {
	level: 'ok' | 'warning' | 'error';
	/** What was looked at: `engine`, `repository`, a target, a volume. */
	subject: string;
	message: string;
	hint?: string;
}

export interface RestoreRequest {
	target: string;
	/** A point's id or `latest`. */
	point: string;
	/** Only these sources, as people write them. Empty: all. */
	only: readonly string[];
	trigger: string;
}

/** What a restore will do; printed before it asks. */
export interface RestorePlan {
	target: string;
	point: PointView;
	sources: string[];
	/** Containers that are stopped meanwhile. */
	stop: string[];
	warnings: string[];
}

/** A run that was accepted. */
export interface Accepted<Result> {
	run: string;
	/** Never rejects for a failure of the run itself: that is an outcome. */
	finished: Promise<Result>;
}

export interface Agent {
	targets: () => Promise<TargetView[]>;
	/** @throws {NotFoundError} */
	plan: (target: string) => Promise<Plan>;
	status: () => Promise<StatusView[]>;
	/** @throws {RepositoryError} */
	points: (target?: string) => Promise<PointView[]>;
	runs: (options?: {target?: string | undefined; limit?: number | undefined}) => RunView[];
	/** @throws {NotFoundError} */
	run: (run: string) => RunView;
	/** What a run has told so far, and then what it tells, until it is finished. @throws {NotFoundError} */
	follow: (run: string, signal: AbortSignal) => AsyncIterable<RunEvent>;
	/** One run a target; a target with a run under way is refused. @throws {NotFoundError | BusyError} */
	backup: (target: string, trigger: string) => Promise<Accepted<BackupResult>>;
	/** @throws {NotFoundError | UsageError} */
	planRestore: (request: RestoreRequest) => Promise<RestorePlan>;
	restore: (request: RestoreRequest) => Promise<Accepted<RestoreResult>>;
	/** Stops the run; what was quiesced is put back. @throws {NotFoundError | UsageError} */
	cancel: (run: string) => Promise<void>;
	doctor: () => Promise<Finding[]>;
	/** False while the engine or the repository cannot be reached; what `/healthz` says. */
	health: () => Promise<{healthy: boolean; problems: string[]}>;
	/** Takes no new run, cancels those under way, waits until all is put back. */
	close: () => Promise<void>;
}
