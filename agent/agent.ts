/** The one door: all that can be asked of the agent, by schedule, command line, HTTP and Slack alike. */
import type {Audit, Notes} from '../base/audit.ts';
import {explain, NotFoundError} from '../base/errors.ts';
import type {RunEvent} from '../base/events.ts';
import {longestGapMs} from '../base/gap.ts';
import type {BackupResult, CheckResult, CopyResult, DrillResult, Operation, PruneResult, RestoreResult} from '../base/results.ts';
import type {
	Accepted,
	DrillRequest,
	ExportRequest,
	Finding,
	ImportRequest,
	NoPlan,
	Overview,
	PointView,
	RestorePlan,
	RestoreRequest,
	RetentionView,
	RunView,
	StatusView,
	TargetView,
	Unlocked,
} from '../base/shapes.ts';
import type {Exported} from './archive/export.ts';
import {createBackups} from './backup/verbs.ts';
import type {Copying} from './copy/verbs.ts';
import {diagnose} from './doctor/doctor.ts';
import {createDrills} from './drill/verbs.ts';
import type {Sweeper} from './keep/sweep.ts';
import type {Upkeep} from './keep/verbs.ts';
import {pointView, runView, statusView, targetView, verifiedPoints} from './overview/views.ts';
import type {Plan, Surveyed} from './plan/planned.ts';
import type {Survey} from './plan/survey.ts';
import {listPoints} from './repository/points.ts';
import type {Repositories} from './repository/repositories.ts';
import {createRestores} from './restore/verbs.ts';
import type {Runs} from './runs/runs.ts';
import type {Workshop} from './runs/workshop.ts';
import {firstDue} from './schedule/entries.ts';
import type {Schedule} from './schedule/schedule.ts';
import type {State} from './state/state.ts';

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
	/** Undefined where there is no bot. */
	isSlackConnected: () => boolean | undefined;
}

export function createAgent(parts: Parts): Agent {
	const {archives, workshop, survey, runs, state, repositories, copying, upkeep, nextDue, appointments, isSlackConnected} = parts;
	const repository = repositories.primary;
	const restores = createRestores(parts);
	const drills = createDrills(parts);

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
		...createBackups(parts),
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
						since: firstDue({operation, subject}, state),
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
		doctor: async () => diagnose({workshop, survey, repositories, appointments, isSlackConnected}),
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
