/** What is asked without a run: targets, their state, restore points, runs. */
import type {Appointments, NextDue} from '../../base/due.ts';
import {NotFoundError} from '../../base/errors.ts';
import {longestGapMs} from '../../base/gap.ts';
import type {Operation} from '../../base/results.ts';
import type {Overview, PointView, RunView, StatusView, TargetView} from '../../base/shapes.ts';
import type {Surveyed} from '../plan/planned.ts';
import type {Survey} from '../plan/survey.ts';
import {listPoints} from '../repository/points.ts';
import type {Repositories} from '../repository/repositories.ts';
import type {Runs} from '../runs/runs.ts';
import type {State} from '../state/state.ts';
import {pointView, runView, statusView, targetView, verifiedPoints} from './views.ts';

export interface Overviews {
	targets: () => Promise<TargetView[]>;
	status: () => Promise<StatusView[]>;
	/** What servers said of their databases may be some minutes old. */
	overview: () => Promise<Overview>;
	/** Those of the primary repository, or of a copy. @throws {NotFoundError | RepositoryError} */
	points: (target?: string, from?: string) => Promise<PointView[]>;
	runs: (options?: {target?: string | undefined; operation?: Operation | undefined; limit?: number | undefined}) => RunView[];
	/** @throws {NotFoundError} */
	run: (run: string) => RunView;
}

/** Asking servers for their databases takes processes in their containers; what is looked at all the time need not. */
const overviewAgeMs = 5 * 60_000;

interface OverviewParts {
	survey: Survey;
	runs: Pick<Runs, 'current' | 'waitsFor'>;
	state: State;
	repositories: Repositories;
	nextDue: NextDue;
	appointments: Appointments;
}

export function createOverviews({survey, runs, state, repositories, nextDue, appointments}: OverviewParts): Overviews {
	const statusOf = (surveyed: Surveyed): StatusView => {
		const {name: target} = surveyed.target;
		const [last] = state.runs({target, operation: 'backup', limit: 1}).filter(record => record.state === 'finished');
		const [success] = state.runs({target, operation: 'backup', outcome: 'success', limit: 1});
		const [lastDrill] = state.runs({target, operation: 'drill', limit: 2}).filter(record => record.state === 'finished');
		const [drilled] = state.runs({target, operation: 'drill', outcome: 'success', limit: 1});
		const running = runs.current(target);
		return statusView(surveyed, {
			running,
			waitsFor: running && runs.waitsFor(running),
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
					.map(({operation, subject, line, next, since}) => ({
						operation,
						target: subject,
						// A drill needs nothing of the target but its labels.
						nextRun: broken.has(subject) && operation !== 'drill' ? null : next.toISOString(),
						expectedIntervalSeconds: longestGapMs(line) / 1000,
						since,
					})),
				unprotected: await survey.unprotected(surveyed),
			};
		},
		async points(target, from) {
			const asked = from === undefined ? repositories.primary : repositories.named(from);
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
	};
}
