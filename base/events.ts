/** The words in which a run tells what it does. Every door (CLI, HTTP, Slack, metrics, log) reads the same events. */

export type Operation = 'backup' | 'restore' | 'drill' | 'copy' | 'prune' | 'check' | 'import';

/** What a run about a repository has for its target: the primary, or a copy by its name. No container and no service can be called so. */
export const repositoryTarget = (repository: string): string => `repository:${repository}`;

export const repositoryOfTarget = (target: string): string => target.slice(repositoryTarget('').length);

export const isRepositoryTarget = (target: string): boolean => target.startsWith('repository:');

export type Outcome = 'success' | 'partial' | 'failed';

/**
 * The steps of a run, in order. An event is sent *before* its step begins, so whoever stops the world at an event
 * stops it inside that step.
 */
export const backupSteps = [
	'plan',
	'workers',
	'prepare',
	'first-pass',
	'before-hooks',
	'quiesce',
	'pin',
	'resume',
	'after-hooks',
	'store',
	'publish',
	'clean-up',
] as const;

export const restoreSteps = ['plan', 'workers', 'load', 'check', 'safety-point', 'stop', 'swap', 'start', 'clean-up'] as const;

export const drillSteps = ['plan', 'workers', 'load', 'check', 'clean-up'] as const;

export const maintenanceSteps = ['workers', 'forget', 'prune', 'measure', 'check', 'clean-up'] as const;

export const importSteps = ['plan', 'workers', 'receive', 'verify', 'store', 'publish', 'clean-up'] as const;

export const copySteps = ['plan', 'workers', 'open', 'copy', 'publish', 'clean-up'] as const;

export type Step =
	| (typeof backupSteps)[number]
	| (typeof restoreSteps)[number]
	| (typeof drillSteps)[number]
	| (typeof maintenanceSteps)[number]
	| (typeof importSteps)[number]
	| (typeof copySteps)[number];

interface EventOf<Type extends string> {
	type: Type;
	run: string;
	target: string;
	/** Milliseconds since 1970. */
	at: number;
}

export interface QueuedEvent extends EventOf<'queued'> {
	operation: Operation;
	/** Who asked: `schedule`, `cli`, `api`, `slack:<user>`, … */
	trigger: string;
}

export interface StepEvent extends EventOf<'step'> {
	step: Step;
	/** Set where the step concerns one source or container. */
	subject?: string | undefined;
}

export interface ProgressEvent extends EventOf<'progress'> {
	source: string;
	bytes: number;
	/** Unknown for streams. */
	totalBytes?: number | undefined;
	/** What is counted where it is not bytes: `packs`. */
	unit?: string | undefined;
}

/** Something that a person should read, although the run goes on. */
export interface WarningEvent extends EventOf<'warning'> {
	message: string;
}

export interface FinishedEvent extends EventOf<'finished'> {
	operation: Operation;
	result: RunResult;
}

export type RunEvent = QueuedEvent | StepEvent | ProgressEvent | WarningEvent | FinishedEvent;

export interface SourceResult {
	/** As in DESIGN.md: `postgres:metadb`, `db/volume:/data`. */
	source: string;
	outcome: 'success' | 'failed';
	snapshot: string | null;
	bytes: number;
	addedBytes: number;
	error?: string | undefined;
}

/** What `backup --json` prints. */
export interface BackupResult {
	run: string;
	target: string;
	outcome: Outcome;
	/** The restore point's id (its run's id), only when the outcome is `success`. */
	point: string | null;
	/** ISO 8601. */
	startedAt: string;
	durationSeconds: number;
	/** Longest time that a container of the run was quiesced; 0 where none was. */
	quiesceSeconds: number;
	sources: SourceResult[];
	/** What a person should look at although the run went well: a source that is much smaller than before. */
	warnings?: string[] | undefined;
	error?: string | undefined;
}

/** What `restore --json` prints. */
export interface RestoreResult {
	run: string;
	target: string;
	point: string;
	outcome: Outcome;
	/** What was replaced and is kept until `restore finish`. */
	replaced: string[];
	/** The database that was made beside the live ones, where nothing was replaced. */
	into?: string | undefined;
	/** Errors of loading that are known to do no harm. */
	tolerated?: Tolerated[] | undefined;
	outageSeconds: number;
	error?: string | undefined;
}

/** `what` is of the list in `agent/sources/postgres/tolerated.ts`. */
export interface Tolerated {
	source: string;
	what: string;
	count: number;
}

/** What `prune --json` prints. */
export interface PruneResult {
	run: string;
	target: string;
	outcome: Outcome;
	/** ISO 8601. */
	startedAt: string;
	durationSeconds: number;
	removed: Array<{target: string; point: string}>;
	/** Targets of which nothing may be removed for now. */
	held: Array<{target: string; reason: string}>;
	/** Size of the repository afterwards; null when it came not so far. */
	bytes: number | null;
	error?: string | undefined;
}

/** What `check --json` prints. */
export interface CheckResult {
	run: string;
	target: string;
	outcome: Outcome;
	/** ISO 8601. */
	startedAt: string;
	durationSeconds: number;
	/** Which part of the data was read and compared: `all`, `n/N`, or null: none. */
	readData: string | null;
	error?: string | undefined;
}

export interface DrilledSource {
	source: string;
	outcome: 'success' | 'failed';
	/** What was found, for people; empty where it failed. */
	checks: string[];
	durationSeconds: number;
	error?: string | undefined;
}

/** What `drill --json` prints. */
export interface DrillResult {
	run: string;
	target: string;
	/** `''` where none was found. */
	point: string;
	/** `success` only when every source of the point was restored and stood every check. */
	outcome: 'success' | 'failed';
	/** ISO 8601. */
	startedAt: string;
	durationSeconds: number;
	sources: DrilledSource[];
	error?: string | undefined;
}

/** What `copy --json` prints. */
export interface CopyResult {
	run: string;
	/** `repository:` and the copy's name. */
	target: string;
	/** `success`: every point that belongs there is there. */
	outcome: Outcome;
	/** How many points this run brought there. */
	copied: number;
	/** How many points its policy removed there. */
	removed: number;
	/** The data that nothing needs any more was removed, too. */
	pruned: boolean;
	/** How many points are there now; null where that could not be found out. */
	points: number | null;
	/** ISO 8601. */
	startedAt: string;
	durationSeconds: number;
	error?: string | undefined;
}

export type RunResult = BackupResult | RestoreResult | DrillResult | PruneResult | CheckResult | CopyResult;

/** An event without what the run itself adds. */
export type Told<Event = RunEvent> = Event extends RunEvent ? Omit<Event, 'run' | 'target' | 'at'> : never;

/** How a step tells what it does. */
export type Tell = (event: Told) => void;

export interface EventHub {
	send: (event: RunEvent) => void;
	/** Returns the function that ends the subscription. A listener that throws does not disturb the others. */
	listen: (listener: (event: RunEvent) => void) => () => void;
}

export function createEventHub(report: (error: unknown) => void): EventHub {
	const listeners = new Set<(event: RunEvent) => void>();
	return {
		send(event) {
			for (const listener of listeners) {
				try {
					listener(event);
				} catch (error) {
					report(error);
				}
			}
		},
		listen(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
	};
}
