/** The one door: the scheduler, the command line, the HTTP API and Slack all call this. */
import type {Readable} from 'node:stream';
import type {Problem} from '../docker/labels.ts';
import type {Audit, Notes} from './audit.ts';
import {backup, type Workshop} from './backup.ts';
import type {Copying} from './copying.ts';
import {diagnose} from './doctor.ts';
import {createDrills} from './drills.ts';
import {explain, NotFoundError, RepositoryError, UsageError} from './errors.ts';
import type {
	BackupResult,
	CheckResult,
	CopyResult,
	DrillResult,
	Operation,
	Outcome,
	PruneResult,
	RestoreResult,
	RunEvent,
	RunResult,
	Tell,
} from './events.ts';
import {longestGapMs} from './expected.ts';
import type {Exported} from './export.ts';
import type {Plan} from './plan.ts';
import {listPoints} from './points.ts';
import {previousAmong} from './previous.ts';
import type {Repositories} from './repositories.ts';
import {createRestores} from './restores.ts';
import type {RunContext, Runs} from './runs.ts';
import type {Schedule} from './schedule.ts';
import type {State} from './state.ts';
import type {Survey, Surveyed} from './survey.ts';
import type {Sweeper} from './sweep.ts';
import type {Unprotected} from './unprotected.ts';
import type {Upkeep} from './upkeep.ts';
import {pointView, runView, statusView, targetView, verifiedPoints} from './views.ts';

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

/** A target that is not run, and why. */
export interface NoPlan {
	target: string;
	error: string;
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
	/** When it is stopped for its backup next, where it has a schedule for that. */
	nextColdRun?: string;
	/** Why none of its points is removed until a person has looked: it is much smaller than before. */
	suspicion?: string;
	lastDrill: {run: string; outcome: Outcome; point: string; startedAt: string; durationSeconds: number; error?: string} | null;
	/** The last time that a point was restored into scratch and stood every check. */
	lastDrillSuccess: {run: string; point: string; at: string} | null;
	nextDrill: string | null;
	problems: Problem[];
}

/** One row of `prune --dry-run --json`: a target, and what of it would go now. */
export interface RetentionView {
	target: string;
	/** As in the label; null: everything is kept. */
	keep: string | null;
	/** Why nothing is removed for now. */
	held: string | null;
	/** Newest first. */
	points: Array<{point: string; time: string; bytes: number; action: 'keep' | 'remove'; why: string[]}>;
}

/** A lock in the repository. */
export interface LockView {
	lock: string;
	host: string;
	pid: number;
	exclusive: boolean;
	/** ISO 8601; a live process refreshes its own every few minutes. */
	refreshedAt: string;
	ageSeconds: number;
	/** Whose it is, as far as it is known. */
	why: string;
}

/** What `unlock --json` prints. */
export interface Unlocked {
	removed: LockView[];
	left: LockView[];
	/** Why locks of the dead were left. */
	warning?: string;
}

/** What comes again by itself. */
export interface Scheduled {
	operation: Operation;
	/** A target, or `repository:<name>`. */
	target: string;
	/** ISO 8601. */
	nextRun: string | null;
	/** The longest time between two due times. */
	expectedIntervalSeconds: number;
}

/** A target, and all that is known of it without looking into the repository. */
export interface TargetOverview {
	view: TargetView;
	status: StatusView;
	/** The longest outage that it allows. */
	quiesceLimitSeconds: number;
	/** Milliseconds since 1970. */
	firstSeen: number;
}

/** What the status page and the metrics show, of one look at the engine. */
export interface Overview {
	targets: TargetOverview[];
	scheduled: Scheduled[];
	unprotected: Unprotected[];
}

/** One row of `points --json`, newest first. */
export interface PointView {
	/** The id of the run that published it. */
	point: string;
	target: string;
	/** The moment that it shows, ISO 8601. */
	time: string;
	sources: Array<{source: string; snapshot: string; bytes: number}>;
	/** When a drill last restored it whole, ISO 8601; null where none did. */
	verifiedAt: string | null;
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

export interface DrillRequest {
	target: string;
	/** A point's id or `latest`. */
	point: string;
	/** `primary`, or a copy's name; without it the primary. */
	from?: string | undefined;
	trigger: string;
}

export interface RestoreRequest {
	/** Or a project: all of its targets. */
	target: string;
	/** A point's id, `latest`, or a time; ids of a project's points are joined with commas. */
	point: string;
	/** Only these sources, or files of a volume, as people write them: `volume:/data/uploads/a.png`. Empty: all. */
	only: readonly string[];
	/** Restores the one Postgres database beside the live ones, under this name: nothing is stopped and nothing replaced. */
	into?: string | undefined;
	/** Restores a point of another target, too. */
	forceTarget?: boolean | undefined;
	/** Somebody read what the label `restore.warning` says. Without that, a target with the label is not restored. */
	acknowledged?: boolean | undefined;
	/** `primary`, or a copy's name; without it the primary, or a copy where that is lost. */
	from?: string | undefined;
	trigger: string;
}

export interface ExportRequest {
	target: string;
	/** A point's id or `latest`. */
	point: string;
	/** One database, and one volume or none. Empty: all that the point has. */
	only: readonly string[];
}

export interface ImportRequest {
	target: string;
	/** Where it belongs, when the target has several databases or volumes. */
	only: readonly string[];
	/** What the person calls it. */
	file: string;
	/** The archive. */
	body: Readable;
	trigger: string;
}

/** What a restore will do; printed before it asks. */
export interface RestorePlan {
	target: string;
	/** The repository that the point is read from. */
	from: string;
	/** Of a project: the first of its points. */
	point: PointView;
	/** One of each target, in the order of their dependencies. */
	points: PointView[];
	sources: string[];
	/** Containers that are stopped meanwhile. */
	stop: string[];
	/** The new database, where nothing is replaced. */
	into: string | null;
	warnings: string[];
	/** The text of the label `restore.warning`, which is among the warnings: it must be acknowledged. */
	acknowledge: string | null;
}

/** A run that was accepted. */
export interface Accepted<Result> {
	run: string;
	/** Never rejects for a failure of the run itself: that is an outcome. */
	finished: Promise<Result>;
}

export interface Agent extends Notes {
	readonly audit: Audit;
	targets: () => Promise<TargetView[]>;
	/** @throws {NotFoundError | UsageError} */
	plan: (target: string) => Promise<Plan>;
	/** Those of every target; what `plan` would throw stands in place of a plan. */
	plans: () => Promise<Array<Plan | NoPlan>>;
	status: () => Promise<StatusView[]>;
	/** What servers said of their databases may be some minutes old. */
	overview: () => Promise<Overview>;
	/** Those of the primary repository, or of a copy. @throws {NotFoundError | RepositoryError} */
	points: (target?: string, from?: string) => Promise<PointView[]>;
	runs: (options?: {target?: string | undefined; operation?: Operation | undefined; limit?: number | undefined}) => RunView[];
	/** @throws {NotFoundError} */
	run: (run: string) => RunView;
	/** What a run has told so far, and then what it tells, until it is finished. @throws {NotFoundError} */
	follow: (run: string, signal: AbortSignal) => AsyncIterable<RunEvent>;
	/** What every run tells from now on, after the last step of those under way, until the signal. */
	watch: (signal: AbortSignal) => AsyncIterable<RunEvent>;
	/** One run a target; a target with a run under way is refused. With `cold` it is stopped, whatever its labels say of quiescing. @throws {NotFoundError | BusyError} */
	backup: (target: string, trigger: string, cold?: boolean) => Promise<Accepted<BackupResult>>;
	/** Restores a point into scratch, checks it, throws the scratch away. @throws {NotFoundError | UsageError | BusyError} */
	drill: (request: DrillRequest) => Promise<Accepted<DrillResult>>;
	/** Names of the configured copies. */
	copies: () => string[];
	/** Brings what is missing into a copy. @throws {NotFoundError | BusyError} */
	copy: (name: string, trigger: string) => Promise<Accepted<CopyResult>>;
	/** @throws {NotFoundError | UsageError} */
	planRestore: (request: RestoreRequest) => Promise<RestorePlan>;
	restore: (request: RestoreRequest) => Promise<Accepted<RestoreResult>>;
	/** Puts back what a restore replaced. @throws {NotFoundError | UsageError | BusyError} */
	undoRestore: (run: string, trigger: string) => Promise<Accepted<RestoreResult>>;
	/** Lets go of what a restore replaced; it cannot be undone afterwards. @throws {NotFoundError | UsageError | BusyError} */
	finishRestore: (run: string, trigger: string) => Promise<Accepted<RestoreResult>>;
	/** What `prune` would remove now, and why the rest stays. @throws {RepositoryError} */
	planPrune: () => Promise<RetentionView[]>;
	/** Removes the points that no rule keeps, and the data that nothing needs. Waits until it is alone. @throws {RepositoryError | BusyError} */
	prune: (trigger: string) => Promise<Accepted<PruneResult>>;
	/**
	 * Proves that the repository is whole. Waits until it is alone.
	 * @param readData which part of the data is read, too: `all`, `n/N`, `next` (in turn), or null: none
	 * @throws {RepositoryError | BusyError}
	 */
	check: (readData: string | null, trigger: string) => Promise<Accepted<CheckResult>>;
	/** A person has looked at the target, which is much smaller than before: its newest point is the new measure. @throws {NotFoundError} */
	acceptSizes: (target: string) => Promise<{target: string; point: string}>;
	/** Removes locks whose owners are proven dead, and tells of the others. @throws {RepositoryError} */
	unlock: () => Promise<Unlocked>;
	/** A point as a portable archive. @throws {NotFoundError | UsageError} */
	export: (request: ExportRequest) => Promise<Exported>;
	/** `received` resolves when the archive was read to its end and is well-formed. @throws {NotFoundError | UsageError | BusyError} */
	import: (request: ImportRequest) => Promise<Accepted<BackupResult> & {received: Promise<void>}>;
	/** Stops the run; what was quiesced is put back. @throws {NotFoundError | UsageError} */
	cancel: (run: string) => Promise<void>;
	doctor: () => Promise<Finding[]>;
	/** False while the engine or the repository cannot be reached; what `/healthz` says. */
	health: () => Promise<{healthy: boolean; problems: string[]}>;
	/** Takes no new run, cancels those under way, waits until all is put back. */
	close: () => Promise<void>;
}

/** Asking servers for their databases takes processes in their containers; what is looked at all the time need not. */
const overviewAgeMs = 5 * 60_000;

interface Parts {
	workshop: Workshop;
	archives: Pick<Agent, 'export' | 'import'>;
	survey: Survey;
	runs: Runs;
	state: State;
	repositories: Repositories;
	copying: Copying;
	sweeper: Sweeper;
	restoreMarginBytes: number;
	upkeep: Upkeep;
	/** When an operation on a target or a repository is due next. */
	nextDue: Schedule['next'];
	appointments: Schedule['all'];
}

export function createAgent(parts: Parts): Agent {
	const {archives, workshop, survey, runs, state, repositories, copying, sweeper, upkeep, nextDue, appointments} = parts;
	const repository = repositories.primary;
	const restic = workshop.restic();
	const restores = createRestores(parts);
	const drills = createDrills(parts);

	const sweep = async (run: string, target: string, tell: Tell): Promise<void> => {
		const warning = await sweeper
			.sweep(run, target)
			.catch((error: unknown) => `what belongs to no point could not be forgotten: ${explain(error)}`);
		if (warning !== undefined) {
			tell({type: 'warning', message: warning});
		}
	};

	const backUp = async ({plan, problems}: Surveyed, {run, startedAt, signal, tell}: RunContext): Promise<BackupResult> => {
		try {
			if (problems.length > 0) {
				throw new UsageError(problems.map(({message}) => message).join('; '));
			}

			signal.throwIfAborted();
			tell({type: 'step', step: 'plan'});
			await repository.open();
			const points = await listPoints(restic, plan.target);
			const previous = previousAmong(points, state);
			const result = await backup(workshop, {run, plan, startedAt, previous, signal, tell});
			const suspicion = upkeep.inspect(result, points);
			if (suspicion !== undefined) {
				tell({type: 'warning', message: suspicion});
			}

			if (result.point !== null && runs.isAlone(run)) {
				await sweep(run, plan.target, tell);
				await upkeep.retain(result, tell);
			}

			return suspicion === undefined ? result : {...result, warnings: [suspicion]};
		} catch (error) {
			if (error instanceof RepositoryError) {
				repository.doubt();
			}

			return {
				run,
				target: plan.target,
				outcome: 'failed',
				point: null,
				startedAt: startedAt.toISOString(),
				durationSeconds: (Date.now() - startedAt.getTime()) / 1000,
				quiesceSeconds: 0,
				sources: plan.sources.map(({name}) => ({source: name, outcome: 'failed', snapshot: null, bytes: 0, addedBytes: 0})),
				error: explain(error),
			};
		}
	};

	const statusOf = (surveyed: Surveyed): StatusView => {
		const {name: target} = surveyed.target;
		const [last] = state.runs({target, operation: 'backup', limit: 1}).filter(record => record.state === 'finished');
		const [success] = state.runs({target, operation: 'backup', outcome: 'success', limit: 1});
		const [lastDrill] = state.runs({target, operation: 'drill', limit: 2}).filter(record => record.state === 'finished');
		const [drilled] = state.runs({target, operation: 'drill', outcome: 'success', limit: 1});
		return statusView(surveyed, {
			running: runs.current(target),
			last,
			success,
			next: nextDue('backup', target),
			nextCold: nextDue('backup', target, true),
			suspicion: state.suspicions().get(target),
			drills: {last: lastDrill, success: drilled, next: nextDue('drill', target)},
		});
	};

	return {
		async targets() {
			return (await survey.all()).map(targetView);
		},
		async plan(target) {
			return (await ready(survey, target)).plan;
		},
		async plans() {
			return (await survey.all()).map(({target, plan, problems}) =>
				problems.length > 0 ? {target: target.name, error: explain(refusal(problems))} : plan,
			);
		},
		async status() {
			return (await survey.all()).map(statusOf);
		},
		async overview() {
			const surveyed = await survey.all(overviewAgeMs);
			const broken = new Set(surveyed.filter(({problems}) => problems.length > 0).map(({target}) => target.name));
			return {
				targets: surveyed.map(each => ({
					view: targetView(each),
					status: statusOf(each),
					quiesceLimitSeconds: each.plan.quiesceTimeoutMs / 1000,
					firstSeen: state.firstSeen(each.target.name, Date.now()),
				})),
				scheduled: appointments()
					.filter(({cold}) => !cold)
					.map(({operation, subject, line, next}) => ({
						operation,
						target: subject,
						// A drill needs nothing of the target but its labels.
						nextRun: broken.has(subject) && operation !== 'drill' ? null : next.toISOString(),
						expectedIntervalSeconds: longestGapMs(line) / 1000,
					})),
				unprotected: await survey.unprotected(surveyed),
			};
		},
		async points(target, from) {
			const asked = from === undefined ? repository : repositories.named(from);
			await asked.open();
			const verified = verifiedPoints(state, target);
			return (await listPoints(asked.restic(), target)).map(point => pointView(point, verified));
		},
		runs: options => state.runs(options).map(runView),
		run(run) {
			const record = state.findRun(run);
			if (record === undefined) {
				throw new NotFoundError(`there is no run \`${run}\``, {hint: 'holdfast runs lists them'});
			}

			return runView(record);
		},
		follow: runs.follow,
		watch: runs.watch,
		async backup(target, trigger, cold) {
			const surveyed = trigger.startsWith('schedule') ? await survey.one(target, cold) : await ready(survey, target, cold);
			return runs.start({operation: 'backup', target, trigger, work: async context => backUp(surveyed, context)});
		},
		drill: drills.drill,
		copies: () => repositories.copies.map(({name}) => name),
		copy: copying.copy,
		planRestore: restores.planRestore,
		restore: restores.restore,
		undoRestore: restores.undoRestore,
		finishRestore: restores.finishRestore,
		planPrune: upkeep.planPrune,
		prune: upkeep.prune,
		check: upkeep.check,
		acceptSizes: upkeep.acceptSizes,
		unlock: upkeep.unlock,
		...archives,
		cancel: runs.cancel,
		doctor: async () => diagnose({workshop, survey, repositories, appointments}),
		async health() {
			const problems: string[] = [];
			await workshop.engine.list().catch((error: unknown) => problems.push(`the engine does not answer: ${explain(error)}`));
			await repository.open().catch((error: unknown) => problems.push(explain(error)));
			return {healthy: problems.length === 0, problems};
		},
		audit: state.audit,
		notes: state.notes,
		saveNote: state.saveNote,
		close: runs.close,
	};
}

/** @throws {UsageError} with all problems of the target */
async function ready(survey: Survey, target: string, cold?: boolean): Promise<Surveyed> {
	const surveyed = await survey.one(target, cold);
	if (surveyed.problems.length > 0) {
		throw refusal(surveyed.problems);
	}

	return surveyed;
}

const refusal = (problems: readonly Problem[]): UsageError =>
	new UsageError(problems.map(({message}) => message).join('; '), {hint: problems.find(({hint}) => hint)?.hint});
