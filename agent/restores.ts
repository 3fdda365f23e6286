/** The verbs of restoring, as the agent offers them: each is checked before it is accepted, and again when its turn comes. */
import type {Accepted, Agent, RestoreRequest} from './agent.ts';
import type {Workshop} from './backup.ts';
import {explain, NotFoundError, UsageError} from './errors.ts';
import type {RestoreResult} from './events.ts';
import {findPoint, listPoints, readManifest} from './points.ts';
import {previousAmong} from './previous.ts';
import type {RestoreRecord} from './replacements.ts';
import type {RepositoryDoor} from './repository.ts';
import {restore} from './restore.ts';
import {checkRestoration} from './restore-check.ts';
import {planRestoration, planUndo, type Restoration} from './restore-plan.ts';
import type {RunContext, Runs} from './runs.ts';
import {createArchiveReader} from './sources/postgres-archive.ts';
import {untouched} from './sources/restoring.ts';
import type {State} from './state.ts';
import type {Survey} from './survey.ts';
import {finishRestore, undoRestore} from './undo.ts';
import {pointView, verifiedPoints} from './views.ts';

export interface RestoreParts {
	workshop: Workshop;
	survey: Survey;
	runs: Runs;
	state: State;
	repository: RepositoryDoor;
	/** Bytes that must be left beside the size of the restored databases. */
	restoreMarginBytes: number;
}

export function createRestores({
	workshop,
	survey,
	runs,
	state,
	repository,
	restoreMarginBytes: marginBytes,
}: RestoreParts): Pick<Agent, 'planRestore' | 'restore' | 'undoRestore' | 'finishRestore'> & {settle: Settle} {
	const {engine, self} = workshop;
	const restic = workshop.restic();
	const archiveVersion = createArchiveReader(restic);

	/** @throws {UsageError} with all that is wrong */
	const prepare = async ({target: name, point: id, only, into, forceTarget}: RestoreRequest): Promise<Restoration> => {
		const {target} = await survey.one(name);
		await repository.open();
		const point = await findPoint(restic, name, id);
		const manifest = await readManifest(restic, point);
		const containers = await engine.list();
		const request = {target, containers, point, manifest, only, into, forceTarget, self: self.containerId};
		const {restoration, problems} = planRestoration(request);
		const all = [...problems, ...(await checkRestoration(restoration, {engine, archiveVersion, marginBytes}))];
		if (all.length > 0) {
			throw new UsageError(`\`${name}\` cannot be restored to point \`${point.id}\`: ${all.join('; ')}`);
		}

		return restoration;
	};

	const putBack = async (request: RestoreRequest, {run, startedAt, signal, tell}: RunContext): Promise<RestoreResult> => {
		const {target, point} = request;
		try {
			signal.throwIfAborted();
			tell({type: 'step', step: 'plan'});
			const restoration = await prepare(request);
			for (const message of restoration.warnings) {
				const isAcknowledged = message === restoration.acknowledge;
				tell({type: 'warning', message: isAcknowledged ? `${message} (acknowledged by ${request.trigger})` : message});
			}

			const previous = previousAmong(await listPoints(restic, target), state);
			return await restore({...workshop, restores: state}, {run, startedAt, restoration, previous, signal, tell});
		} catch (error) {
			return {run, target, point, outcome: 'failed', replaced: [], outageSeconds: 0, error: explain(error)};
		}
	};

	const settle: Settle = (record, verb, {trigger, startStopped}) =>
		runs.start({
			operation: 'restore',
			target: record.target,
			trigger,
			async work({run, signal, tell}) {
				try {
					signal.throwIfAborted();
					tell({type: 'step', step: 'plan'});
					const {target} = await survey.one(record.target);
					await repository.open();
					const found = planUndo({target, containers: await engine.list(), self: self.containerId}, record.replacements);
					const isUntouched = record.phase === 'loading';
					const plan = isUntouched ? {...found, stop: []} : found;
					if (plan.problems.length > 0) {
						throw new UsageError(plan.problems.join('; '));
					}

					const work = verb === 'undo' ? undoRestore : finishRestore;
					return await work(
						{...workshop, restores: state},
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
			const {target, point, sources, stop, into, warnings, acknowledge} = await prepare(request);
			return {
				target,
				point: pointView(point, verifiedPoints(state, target)),
				sources: sources.map(({name}) => name),
				stop: stop.map(({container}) => container.name),
				into: into ?? null,
				warnings: [...warnings],
				acknowledge: acknowledge ?? null,
			};
		},
		async restore(request) {
			const {target, point, acknowledge} = await prepare(request);
			if (acknowledge !== undefined && request.acknowledged !== true) {
				throw new UsageError(`\`${target}\` has a warning that must be acknowledged before a restore: ${acknowledge}`, {
					hint: 'over HTTP: `"acknowledged": true`; on the command line: type the name, or give --yes',
				});
			}

			// The newest point may be another one when its turn comes.
			const settled = {...request, point: point.id};
			return runs.start({operation: 'restore', target, trigger: request.trigger, work: async context => putBack(settled, context)});
		},
	};
}

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
