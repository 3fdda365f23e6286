/** Backups as runs: a target is surveyed, planned and backed up, and what belongs to no point any more is swept. */

import {explain, NotFoundError, RepositoryError, refusedFor} from '../../base/errors.ts';
import type {Tell} from '../../base/events.ts';
import {failed} from '../../base/failed.ts';
import type {Notices} from '../../base/notices.ts';
import type {BackupResult} from '../../base/results.ts';
import type {Accepted} from '../../base/shapes/runs.ts';
import type {NoPlan} from '../../base/shapes/targets.ts';
import {freshMs} from '../keep/tidy.ts';
import type {Upkeep} from '../keep/verbs.ts';
import type {Plan, Surveyed} from '../plan/planned.ts';
import type {Survey} from '../plan/survey.ts';
import {type Marked, ownPoints, type Point} from '../repository/points.ts';
import type {NamedRepository, Repositories} from '../repository/repositories.ts';
import {folderOf} from '../restic/repository.ts';
import type {Restic} from '../restic/restic.ts';
import type {RunContext, Runs} from '../runs/runs.ts';
import type {Workshop} from '../runs/workshop.ts';
import {createPace} from '../sources/pace.ts';
import type {State} from '../state/state.ts';
import {assertAwake, tellAbsent} from './absent.ts';
import {backup} from './backup.ts';
import {foundSince, goneSince} from './gone.ts';
import {previousAmong} from './previous.ts';
import {touchedBy, touchedInMoment} from './touched.ts';
import {type Asked, whenFree} from './when-free.ts';

export interface Backups {
	/** @throws {NotFoundError | UsageError} */
	plan: (target: string) => Promise<Plan>;
	/** Those of every target; what `plan` would throw stands in place of a plan. */
	plans: () => Promise<Array<Plan | NoPlan>>;
	/** One run a target; a target with a run under way is refused. With `cold` it is stopped, whatever its labels say of quiescing. @throws {NotFoundError | BusyError} */
	backup: (target: string, trigger: string, options?: {cold?: boolean | undefined}) => Promise<Accepted<BackupResult>>;
}

interface BackupParts {
	workshop: Workshop;
	survey: Survey;
	runs: Runs;
	state: State;
	repositories: Repositories;
	upkeep: Upkeep;
	notices: Pick<Notices, 'send'>;
}

export function createBackups({workshop, survey, runs, state, repositories: {primary: repository}, upkeep, notices}: BackupParts): Backups {
	// What is looked at keeps nobody out, and waits for nobody: who must wait for a lock is the backup itself.
	const restic = workshop.restic(undefined, {withoutLock: true});
	const pace = folderOf(repository.repository) === undefined ? undefined : createPace();

	/** Newest first; and says what differs from the newest. @throws {RepositoryError} */
	const listPoints = async (found: Pick<Surveyed, 'target' | 'plan'>, tell: Tell): Promise<Point[]> => {
		const points = await ownPoints(restic, workshop.ownership(), found.plan.target);
		for (const message of [...goneSince(points, found.plan), ...foundSince(points, found)]) {
			tell({type: 'warning', message});
		}

		return points;
	};

	const backUp = async (asked: Asked, context: RunContext): Promise<BackupResult> => {
		const {run, startedAt, signal, tell} = context;
		let plan = asked.surveyed?.plan;
		try {
			signal.throwIfAborted();
			const {problems, ...found} = await whenFree({survey, state}, asked, context);
			plan = found.plan;
			if (problems.length > 0) {
				throw refusedFor(problems);
			}

			assertAwake(plan, state);

			tell({type: 'step', step: 'plan'});
			await repository.open();
			assertWritable(repository);
			const listed = listPoints({...found, plan}, tell);
			const previous = listed.then(points => previousAmong(points, state));
			previous.catch(() => {});
			const after = afterwards({upkeep, runs, restic}, {run, listed, tell});
			let keeping: Promise<string | undefined> | undefined;
			const working: Promise<BackupResult> = backup(workshop, {
				run,
				plan,
				startedAt,
				hereSince: state.hereSince(plan.target),
				previous,
				keepsAll: repository.access() === 'append-only',
				stillNow: async () => (await survey.one(asked.target, asked)).plan,
				keep: async still => context.holdMore(touchedInMoment(still)),
				signal,
				tell,
				tellOnce: state.tellOnce,
				onStoring: after.storing,
				onPublished(published, snapshots) {
					keeping = after.kept(published, snapshots, working);
					keeping.catch(() => {});
				},
				rememberNewest: (source, snapshot, newest) =>
					state.rememberNewest({target: asked.target, source}, snapshot, newest?.getTime() ?? null),
				pace,
			});
			const result = await working;
			const suspicion = await (keeping ?? after.inspected(result));
			return suspicion === undefined ? result : {...result, warnings: [...(result.warnings ?? []), suspicion]};
		} catch (error) {
			if (error instanceof RepositoryError) {
				repository.doubt();
			}

			return failed.backup(
				{run, target: asked.target, startedAt},
				error,
				plan?.sources.map(({name}) => name),
			);
		}
	};

	return {
		async plan(target) {
			return (await ready(survey, target)).plan;
		},
		async plans() {
			return (await survey.all(await survey.list())).map(({target, plan, problems}) =>
				problems.length > 0 ? {target: target.name, error: explain(refusedFor(problems))} : plan,
			);
		},
		async backup(target, trigger, {cold} = {}) {
			const isScheduled = trigger.startsWith('schedule');
			// What a schedule asks for and cannot be is a failed run, which is seen; a person is told at once.
			const surveyed = await survey.one(target, {cold}).catch((error: unknown): undefined => {
				if (!isScheduled || error instanceof NotFoundError) {
					throw error;
				}
			});
			const disturbed = surveyed === undefined || runs.holder(touchedBy(surveyed)) !== undefined;
			if (surveyed !== undefined && surveyed.problems.length > 0 && !disturbed && !isScheduled) {
				throw refusedFor(surveyed.problems);
			}

			if (surveyed?.problems.length === 0 && !disturbed) {
				tellAbsent(surveyed.plan, {state, notices});
				assertAwake(surveyed.plan, state);
			}

			const asked = {target, surveyed, cold, isScheduled, at: Date.now(), disturbed};
			return runs.start({operation: 'backup', target, trigger, work: async context => backUp(asked, context)});
		},
	};
}

/** What becomes of a run's result. Both resolve with what a person should know of its sizes, which they tell. */
function afterwards(
	{upkeep, runs, restic}: Pick<BackupParts, 'upkeep' | 'runs'> & {restic: Pick<Restic, 'snapshots'>},
	{run, listed, tell}: {run: string; listed: Promise<readonly Point[]>; tell: Tell},
) {
	const inspected = async (result: BackupResult): Promise<string | undefined> => {
		// That the points could not be listed is the repository's fault, and why the run failed.
		const suspicion = upkeep.inspect(result, await listed);
		if (suspicion !== undefined) {
			tell({type: 'warning', message: suspicion});
		}

		return suspicion;
	};
	let listing: {at: number; snapshots: Promise<readonly Marked[]>} | undefined;
	const listedWith = async (own: readonly Marked[]): Promise<readonly Marked[]> => {
		// Nobody is kept out meanwhile, nor waited for: what is seen half removed is no point, and what cannot be forgotten now is for later.
		const snapshots = await (listing !== undefined && Date.now() - listing.at < freshMs ? listing.snapshots : restic.snapshots());
		const ids = new Set(own.map(({id}) => id));
		return [...snapshots.filter(({id}) => !ids.has(id)), ...own];
	};
	return {
		inspected,
		/** A list takes a start of restic: what there is beside the point is listed while its sources and its manifest are stored. */
		storing(): void {
			listing = runs.isAlone(run) ? {at: Date.now(), snapshots: restic.snapshots()} : undefined;
			listing?.snapshots.catch(() => {});
		},
		/** Of one that made a point. @param own the point's snapshots @param dismissed its workers are removed */
		async kept(result: BackupResult, own: readonly Marked[], dismissed: Promise<unknown>): Promise<string | undefined> {
			const suspicion = await inspected(result);
			if (runs.isAlone(run)) {
				await upkeep.tidy(result, {snapshots: listedWith(own), dismissed, tell});
			}

			return suspicion;
		},
	};
}

/** @throws {RepositoryError} */
function assertWritable({access, name, repository}: NamedRepository): void {
	if (access() === 'read-only') {
		throw new RepositoryError('refused', `repository \`${name}\` is read-only: nothing can be backed up to it`, {
			hint: repository.access === undefined ? 'its file system is: mount it for writing' : 'HOLDFAST_REPOSITORY_ACCESS says so',
		});
	}
}

/** @throws {UsageError} with all problems of the target */
async function ready(survey: Survey, target: string): Promise<Surveyed> {
	const surveyed = await survey.one(target);
	if (surveyed.problems.length > 0) {
		throw refusedFor(surveyed.problems);
	}

	return surveyed;
}
