/** The verbs of restoring, as the agent offers them: each is checked before it is accepted, and again when its turn comes. */

import {unread} from '../../base/acknowledged.ts';
import {NotFoundError, UsageError} from '../../base/errors.ts';
import {failed} from '../../base/failed.ts';
import type {RestoreResult} from '../../base/results.ts';
import type {RestorePlan, RestoreRequest} from '../../base/shapes/restores.ts';
import type {Accepted} from '../../base/shapes/runs.ts';
import {type Previous, previousAmong} from '../backup/previous.ts';
import {pointView, verifiedPoints} from '../overview/views.ts';
import type {Survey} from '../plan/survey.ts';
import {ownPoints, type Point} from '../repository/points.ts';
import type {Repositories} from '../repository/repositories.ts';
import type {RunContext, Runs} from '../runs/runs.ts';
import type {Workshop} from '../runs/workshop.ts';
import {subjectOf} from '../sources/restoring.ts';
import {isHalfDone, type RestoreRecord} from '../state/restores.ts';
import type {State} from '../state/state.ts';
import {keeperAmong} from './plan/from.ts';
import {cameUpSince, type Restoration} from './plan/plan.ts';
import {createPreflight} from './plan/preflight.ts';
import {storagesOf} from './plan/storages.ts';
import {pointIds, restore} from './restore.ts';
import type {Settle} from './settle.ts';
import {touchedByRestore} from './touched.ts';

export interface Restores {
	/** @throws {NotFoundError | UsageError} */
	planRestore: (request: RestoreRequest) => Promise<RestorePlan>;
	restore: (request: RestoreRequest) => Promise<Accepted<RestoreResult>>;
	/** Puts back what a restore replaced. @throws {NotFoundError | UsageError | BusyError} */
	undoRestore: (run: string, trigger: string) => Promise<Accepted<RestoreResult>>;
	/**
	 * Lets go of what a restore replaced; it cannot be undone afterwards.
	 * @param force also of a target that is gone: what cannot be reached is left where it is, and named
	 * @throws {NotFoundError | UsageError | BusyError}
	 */
	finishRestore: (run: string, trigger: string, options?: {force?: boolean | undefined}) => Promise<Accepted<RestoreResult>>;
}

interface RestoreParts {
	workshop: Workshop;
	survey: Survey;
	runs: Runs;
	state: State;
	repositories: Repositories;
	/** Bytes that must be left beside the size of the restored databases. */
	restoreMarginBytes: number;
	/** The share of its size that a source may lose from one point to the next. */
	shrinkLimit: number;
	settle: Settle;
}

export function createRestores({
	workshop,
	survey,
	runs,
	state,
	repositories,
	restoreMarginBytes,
	shrinkLimit,
	settle,
}: RestoreParts): Restores {
	const prepare = createPreflight({workshop, survey, repositories, isUnderWay: runs.isUnderWay, state, restoreMarginBytes, shrinkLimit});

	const putBack = async (
		request: RestoreRequest,
		asked: Restoration,
		{run, startedAt, signal, tell, hold}: RunContext,
	): Promise<RestoreResult> => {
		const {target, point} = request;
		try {
			signal.throwIfAborted();
			tell({type: 'step', step: 'plan'});
			await hold(touchedByRestore(asked));
			let {restoration, from, newcomers} = await prepare(request);
			while (await hold(touchedByRestore(restoration))) {
				({restoration, from, newcomers} = await prepare(request));
			}

			const since = cameUpSince(asked, restoration);
			if (since.length > 0) {
				throw new UsageError(`since it was asked for, this has come up, and must be acknowledged: ${since.join('; ')}`, {
					hint: 'nothing was changed; ask once more',
				});
			}

			for (const message of restoration.warnings) {
				const isAcknowledged = restoration.acknowledge?.split('\n').includes(message);
				tell({type: 'warning', message: isAcknowledged ? `${message} (acknowledged by ${request.trigger})` : message});
			}

			const keeper = (await keeperAmong(repositories, from)) ?? from;
			const previous = new Map<string, Previous | undefined>();
			for (const name of targetNames(restoration)) {
				previous.set(name, previousAmong(await ownPoints(keeper.restic(), workshop.ownership(), name), state));
			}

			return await restore(
				{...workshop, restic: from.restic, keeper, restores: state},
				{
					...{run, startedAt, restoration, newcomers, previous},
					isUnkept: keeper.access() === 'read-only',
					marginBytes: restoreMarginBytes,
					signal,
					tell,
				},
			);
		} catch (error) {
			return failed.restore({run, target}, point, error);
		}
	};

	return {
		async undoRestore(run, trigger) {
			const record = recordOf(state, run);
			if (record.phase === 'finishing') {
				throw new UsageError(`run \`${run}\` cannot be undone: what it replaced is let go already`, {
					hint: '`holdfast points` lists what can be restored',
				});
			}

			return settle(record, 'undo', {trigger});
		},
		async finishRestore(run, trigger, {force = false} = {}) {
			const record = recordOf(state, run);
			if (isHalfDone(record) && !force) {
				throw new UsageError(`what run \`${run}\` replaced is being put back, which is tried until it is done`, {
					hint: `to keep what is there now instead: holdfast restore finish ${run} --force`,
				});
			}

			return settle(record, 'finish', {trigger, force});
		},
		async planRestore(request) {
			const {restoration, from, counts} = await prepare(request, {whole: true});
			const {containers} = await survey.present();
			const {target, points, sources, stop, hooks, into, warnings, acknowledge} = restoration;
			const ownership = workshop.ownership();
			const viewOf = (point: Point) => pointView(point, {verified: verifiedPoints(state, point.target), ownership});
			return {
				target,
				from: from.name,
				point: viewOf(points[0]),
				points: points.map(viewOf),
				sources: sources.flatMap(source => (source.paths ?? ['']).map(path => subjectOf(source, target) + path)),
				storages: storagesOf(restoration, containers, counts),
				stop: stop.map(({container}) => container.name),
				hooks: hooks.map(({container, hook, when}) => ({when, container: container.name, program: hook.argv[0]})),
				into: into ?? null,
				warnings: [...warnings],
				acknowledge: acknowledge ?? null,
			};
		},
		async restore(request) {
			const {restoration} = await prepare(request);
			const lines = unread(restoration.acknowledge, request.acknowledged);
			if (lines.length > 0) {
				const since = Array.isArray(request.acknowledged) ? ', which has come up since its plan was shown' : '';
				throw new UsageError(
					`\`${restoration.target}\` has a warning that must be acknowledged before a restore${since}: ${lines.join('\n')}`,
					{
						hint: 'ask once more, which shows it; on the command line --yes, over HTTP `"acknowledged": true` say yes to all',
					},
				);
			}

			// The newest point may be another one when its turn comes.
			const settled = {...request, point: pointIds(restoration)};
			return runs.start({
				operation: 'restore',
				target: restoration.target,
				occupies: restoration.sources.map(({target}) => target),
				trigger: request.trigger,
				work: async context => putBack(settled, restoration, context),
			});
		},
	};
}

const targetNames = ({points}: Restoration): string[] => points.map(({target}) => target);

/** @throws {NotFoundError} */
function recordOf(state: State, run: string): RestoreRecord {
	const record = state.restores().find(candidate => candidate.run === run);
	if (record === undefined) {
		const known = state.findRun(run);
		throw new NotFoundError(
			known?.operation === 'restore' ? `nothing that run \`${run}\` replaced is kept any more` : `there is no restore \`${run}\``,
			{hint: '`holdfast runs` lists the runs; what a restore replaced is kept until it is undone, finished or too old'},
		);
	}

	return record;
}
