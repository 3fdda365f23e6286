/** What is asked without a run: targets, their state, restore points, runs. */

import type {Appointments, NextDue} from '../../base/due.ts';
import {NotFoundError} from '../../base/errors.ts';
import {longestGapMs} from '../../base/gap.ts';
import {label} from '../../base/label.ts';
import type {DialectName} from '../../base/reading/values.ts';
import type {Operation} from '../../base/results.ts';
import type {ForeignView, PointView} from '../../base/shapes/points.ts';
import type {RunView} from '../../base/shapes/runs.ts';
import type {OtherAgent, Overview, ProjectLabels, StatusView, TargetView} from '../../base/shapes/targets.ts';
import type {Listed, Survey} from '../plan/survey.ts';
import {foreignAmong} from '../repository/foreign.ts';
import type {Ownership} from '../repository/owner.ts';
import {allPoints} from '../repository/points.ts';
import type {Repositories} from '../repository/repositories.ts';
import type {Runs} from '../runs/runs.ts';
import type {State} from '../state/state.ts';
import type {Suggestion} from '../targets/suggest.ts';
import type {Missing} from './gone.ts';
import type {Kits} from './kit.ts';
import {assertKnown} from './known.ts';
import type {Ledger} from './ledger.ts';
import type {Filer} from './owners.ts';
import {createStatus} from './status.ts';
import {pointView, runView, targetView, verifiedPoints} from './views.ts';

export interface Overviews extends Kits {
	targets: () => Promise<TargetView[]>;
	/** What would protect the services of a project that no label speaks of. @throws {NotFoundError} */
	labels: (project: string, from?: DialectName) => Promise<ProjectLabels>;
	/** Those that are gone, too. */
	status: () => Promise<StatusView[]>;
	/** What servers said of their databases may be some minutes old. */
	overview: () => Promise<Overview>;
	/** Those of the primary repository, or of a copy. @throws {NotFoundError | RepositoryError} */
	points: (target?: string, from?: string) => Promise<PointView[]>;
	/** Snapshots that another program made, newest first. @throws {RepositoryError} */
	foreign: (from?: string) => Promise<ForeignView[]>;
	runs: (options?: {target?: string | undefined; operation?: Operation | undefined; limit?: number | undefined}) => RunView[];
	/** @throws {NotFoundError} */
	run: (run: string) => RunView;
	/** A target that is gone is missed no more; its points are kept. @throws {NotFoundError | UsageError} */
	forget: (target: string) => Promise<{target: string}>;
}

/** Asking servers for their databases takes processes in their containers; what is looked at all the time need not. */
const overviewAgeMs = 5 * 60_000;

interface OverviewParts {
	kits: Kits;
	survey: Survey;
	runs: Pick<Runs, 'current' | 'waitsFor'>;
	state: State;
	repositories: Repositories;
	ownership: () => Ownership;
	ledger: Pick<Ledger, 'filers' | 'liveOthers' | 'newest'>;
	missing: Missing;
	/** The other agents of the engine, and who serves what. */
	neighbours: (listed: Listed) => Promise<{elsewhere: ReadonlyMap<string, string>; others: OtherAgent[]}>;
	nextDue: NextDue;
	appointments: Appointments;
}

export function createOverviews({
	kits,
	survey,
	runs,
	state,
	repositories,
	ownership,
	ledger,
	missing,
	neighbours,
	nextDue,
	appointments,
}: OverviewParts): Overviews {
	const {statusOf, missedStatus, movedStatus} = createStatus({runs, state, ownership, ledger, nextDue, appointments});
	return {
		...kits,
		async targets() {
			const listed = await survey.list();
			const {elsewhere} = await neighbours(listed);
			return (await survey.all(listed)).map(each => ({...targetView(each), ...servedBy(elsewhere, each.target.name)}));
		},
		async labels(project, from) {
			if (from === undefined) {
				return {project, services: servicesOf(await survey.suggest(project))};
			}

			const {services, variables, lost} = await survey.translate(project, from);
			return {
				project,
				services: servicesOf(services),
				variables: variables.map(({name: variable, value, because}) => ({variable, value, because})),
				lost: [...lost],
			};
		},
		async status() {
			const listed = await survey.list();
			const {elsewhere} = await neighbours(listed);
			const found = (await survey.all(listed)).map(each => ({...statusOf(each), ...servedBy(elsewhere, each.target.name)}));
			const {gone, moved} = missing.look(listed.targets, listed.containers);
			return [...found, ...gone.map(missedStatus), ...moved.map(movedStatus)];
		},
		async forget(target) {
			missing.forget(
				target,
				(await survey.targets()).map(({name}) => name),
			);
			return {target};
		},
		async overview() {
			const listed = await survey.list();
			const surveyed = await survey.all(listed, overviewAgeMs);
			const {elsewhere, others} = await neighbours(listed);
			const broken = new Set(surveyed.filter(({problems}) => problems.length > 0).map(({target}) => target.name));
			return {
				kitKept: kits.kitKept(),
				targets: surveyed.map(each => ({
					view: {...targetView(each), ...servedBy(elsewhere, each.target.name)},
					status: {...statusOf(each), ...servedBy(elsewhere, each.target.name)},
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
				unprotected: await survey.unprotected(listed, surveyed),
				...missing.look(listed.targets, listed.containers),
				others: [...others, ...ledger.filers().map(otherOf)],
				adopted: state
					.deeds()
					.flatMap(({kind, by, what, at}) => (kind !== 'move' && by === ownership().agent ? [{from: what, until: at.toISOString()}] : [])),
				liveOthers: ledger.liveOthers(others.filter(({isAlive}) => isAlive).length),
			};
		},
		async foreign(from) {
			const asked = from === undefined ? repositories.primary : repositories.named(from);
			await asked.open();
			return foreignAmong(await asked.restic().snapshots()).map(({id: snapshot, time, host, paths, tags, bytes}) => ({
				snapshot,
				time: time.toISOString(),
				host,
				paths: [...paths],
				tags: [...tags],
				bytes,
			}));
		},
		async points(target, from) {
			const asked = from === undefined ? repositories.primary : repositories.named(from);
			await asked.open();
			const known = {verified: verifiedPoints(state, target), ownership: ownership()};
			const points = await allPoints(asked.restic(), known.ownership, target);
			if (target !== undefined && points.length === 0) {
				await assertKnown(target, {state, survey});
			}

			return points.map(point => pointView(point, known));
		},
		runs: options => state.runs(options).map(runView),
		run(run) {
			const record = state.findRun(run);
			if (record === undefined) {
				throw new NotFoundError(`there is no run \`${run}\``, {hint: '`holdfast runs` lists them'});
			}

			return runView(record);
		},
	};
}

const servicesOf = (suggestions: ReadonlyArray<Pick<Suggestion, 'container' | 'labels' | 'why'>>): ProjectLabels['services'] =>
	suggestions
		.map(({container, labels, why}) => ({
			service: container.service ?? container.name,
			container: container.name,
			labels: Object.fromEntries(Object.entries({enable: 'true', ...labels}).map(([name, value]) => [label(name), value])),
			why: [...why],
		}))
		.toSorted((a, b) => (a.service < b.service ? -1 : 1));

const servedBy = (elsewhere: ReadonlyMap<string, string>, target: string): {servedBy?: string} => {
	const agent = elsewhere.get(target);
	return agent === undefined ? {} : {servedBy: agent};
};

const otherOf = ({agent, host, isAlive, finding}: Filer): OtherAgent => ({agent: agent ?? host, isAlive, finding});
