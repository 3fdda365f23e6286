/** The verbs of restoring, as the agent offers them: each is checked before it is accepted, and again when its turn comes. */

import {explain, NotFoundError, UsageError} from '../../base/errors.ts';
import type {RestoreResult} from '../../base/results.ts';
import type {Accepted, RestoreRequest} from '../../base/shapes.ts';
import type {Agent} from '../agent.ts';
import {type Previous, previousAmong} from '../backup/previous.ts';
import {pointView, verifiedPoints} from '../overview/views.ts';
import type {Survey} from '../plan/survey.ts';
import {listPoints} from '../repository/points.ts';
import type {NamedRepository, Repositories} from '../repository/repositories.ts';
import type {RunContext, Runs} from '../runs/runs.ts';
import type {Workshop} from '../runs/workshop.ts';
import {subjectOf, untouched} from '../sources/restoring.ts';
import type {RestoreRecord} from '../state/restores.ts';
import type {State} from '../state/state.ts';
import type {Target} from '../targets/target.ts';
import {finishRestore} from './finish.ts';
import type {Restoration} from './plan/plan.ts';
import {createPreflight} from './plan/preflight.ts';
import {pointIds, restore} from './restore.ts';
import {undoRestore} from './undo.ts';
import {planUndo} from './undo-plan.ts';

export interface RestoreParts {
	workshop: Workshop;
	survey: Survey;
	runs: Runs;
	state: State;
	repositories: Repositories;
	/** Bytes that must be left beside the size of the restored databases. */
	restoreMarginBytes: number;
}

export function createRestores({
	workshop,
	survey,
	runs,
	state,
	repositories,
	restoreMarginBytes,
}: RestoreParts): Pick<Agent, 'planRestore' | 'restore' | 'undoRestore' | 'finishRestore'> & {settle: Settle} {
	const {engine, self} = workshop;
	const prepare = createPreflight({workshop, survey, repositories, restoreMarginBytes});

	/** Those of what was replaced, as they are now. */
	const targetsOf = async (record: RestoreRecord): Promise<ReadonlyMap<string, Target>> => {
		const surveyed = await Promise.all(namesIn(record).map(async name => survey.one(name)));
		return new Map(surveyed.map(found => [found.target.name, found.target]));
	};

	/** Where what is replaced is kept: the primary repository, but where that is lost. */
	const keeperFor = async (from: NamedRepository): Promise<NamedRepository> =>
		repositories.primary.open().then(
			() => repositories.primary,
			() => from,
		);

	const putBack = async (request: RestoreRequest, {run, startedAt, signal, tell}: RunContext): Promise<RestoreResult> => {
		const {target, point} = request;
		try {
			signal.throwIfAborted();
			tell({type: 'step', step: 'plan'});
			const {restoration, from} = await prepare(request);
			for (const message of restoration.warnings) {
				const isAcknowledged = restoration.acknowledge?.split('\n').includes(message);
				tell({type: 'warning', message: isAcknowledged ? `${message} (acknowledged by ${request.trigger})` : message});
			}

			const keeper = await keeperFor(from);
			const previous = new Map<string, Previous | undefined>();
			for (const name of targetNames(restoration)) {
				previous.set(name, previousAmong(await listPoints(keeper.restic(), name), state));
			}

			return await restore(
				{...workshop, restic: from.restic, keeper, restores: state},
				{run, startedAt, restoration, previous, signal, tell},
			);
		} catch (error) {
			return {run, target, point, outcome: 'failed', replaced: [], outageSeconds: 0, error: explain(error)};
		}
	};

	const settle: Settle = (record, verb, {trigger, startStopped}) =>
		runs.start({
			operation: 'restore',
			target: record.target,
			occupies: namesIn(record),
			trigger,
			async work({run, signal, tell}) {
				try {
					signal.throwIfAborted();
					tell({type: 'step', step: 'plan'});
					const targets = await targetsOf(record);
					const keeper = repositories.named(record.keptIn);
					await keeper.open();
					const found = planUndo(targets, {containers: await engine.list(), self: self.containerId}, record.replacements, record.target);
					const isUntouched = record.phase === 'loading';
					const plan = isUntouched ? {...found, stop: []} : found;
					if (plan.problems.length > 0) {
						throw new UsageError(plan.problems.join('; '));
					}

					const work = verb === 'undo' ? undoRestore : finishRestore;
					return await work(
						{...workshop, restic: keeper.restic, keeper, restores: state},
						{
							run,
							record: isUntouched ? {...record, replacements: record.replacements.map(untouched)} : record,
							plan,
							tell,
							startStopped,
						},
					);
				} catch (error) {
					return {
						run,
						target: record.target,
						point: record.point,
						outcome: 'failed',
						replaced: [],
						outageSeconds: 0,
						error: explain(error),
					};
				}
			},
		});

	return {
		settle,
		async undoRestore(run, trigger) {
			const record = recordOf(state, run);
			if (record.phase === 'finishing') {
				throw new UsageError(`run \`${run}\` cannot be undone: what it replaced is let go already`);
			}

			return settle(record, 'undo', {trigger});
		},
		async finishRestore(run, trigger) {
			const record = recordOf(state, run);
			if (record.phase !== 'swapped' && record.phase !== 'finishing') {
				throw new UsageError(`run \`${run}\` is not complete, so what it replaced is not let go`, {
					hint: `put it back: holdfast restore undo ${run}`,
				});
			}

			return settle(record, 'finish', {trigger});
		},
		async planRestore(request) {
			const {restoration, from} = await prepare(request, {whole: true});
			const {target, points, sources, stop, into, warnings, acknowledge} = restoration;
			return {
				target,
				from: from.name,
				point: pointView(points[0], verifiedPoints(state, points[0].target)),
				points: points.map(point => pointView(point, verifiedPoints(state, point.target))),
				sources: sources.flatMap(source => (source.paths ?? ['']).map(path => subjectOf(source, target) + path)),
				stop: stop.map(({container}) => container.name),
				into: into ?? null,
				warnings: [...warnings],
				acknowledge: acknowledge ?? null,
			};
		},
		async restore(request) {
			const {restoration} = await prepare(request);
			const {acknowledge} = restoration;
			if (acknowledge !== undefined && request.acknowledged !== true) {
				throw new UsageError(`\`${restoration.target}\` has a warning that must be acknowledged before a restore: ${acknowledge}`, {
					hint: 'over HTTP: `"acknowledged": true`; on the command line: type the name, or give --yes',
				});
			}

			// The newest point may be another one when its turn comes.
			const settled = {...request, point: pointIds(restoration)};
			return runs.start({
				operation: 'restore',
				target: restoration.target,
				occupies: restoration.sources.map(({target}) => target),
				trigger: request.trigger,
				work: async context => putBack(settled, context),
			});
		},
	};
}

const targetNames = ({points}: Restoration): string[] => points.map(({target}) => target);

/** The targets of what was replaced. */
const namesIn = ({target, replacements}: RestoreRecord): string[] => [...new Set(replacements.map(other => other.target ?? target))];

/** Starts a run that undoes or finishes a restore. @throws {BusyError} */
export type Settle = (
	record: RestoreRecord,
	verb: 'undo' | 'finish',
	options: {trigger: string; startStopped?: (() => Promise<void>) | undefined},
) => Accepted<RestoreResult>;

/** @throws {NotFoundError} */
function recordOf(state: State, run: string): RestoreRecord {
	const record = state.restores().find(candidate => candidate.run === run);
	if (record === undefined) {
		const known = state.findRun(run);
		throw new NotFoundError(
			known?.operation === 'restore' ? `nothing that run \`${run}\` replaced is kept any more` : `there is no restore \`${run}\``,
			{hint: 'holdfast runs lists the runs; what a restore replaced is kept until it is undone, finished or too old'},
		);
	}

	return record;
}
