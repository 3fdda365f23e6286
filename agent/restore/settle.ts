/** A restore is settled: what it replaced is put back, or let go. By a person, by its time limit, by the recovery: always in this way. */

import {UsageError} from '../../base/errors.ts';
import {failed} from '../../base/failed.ts';
import {neverCancelled} from '../../base/patience.ts';
import type {RestoreResult} from '../../base/results.ts';
import type {Accepted} from '../../base/shapes/runs.ts';
import type {Engine} from '../../docker/engine.ts';
import {asResumed, type JournalEntry} from '../../docker/resume.ts';
import {undoUnfinished} from '../../docker/unfinished.ts';
import type {Survey} from '../plan/survey.ts';
import type {Repositories} from '../repository/repositories.ts';
import type {Runs} from '../runs/runs.ts';
import type {Workshop} from '../runs/workshop.ts';
import {readReplaced} from '../sources/kinds.ts';
import {isUntouched, type Replaced, untouched} from '../sources/restoring.ts';
import {isHalfDone, type RestoreRecord, runsOf} from '../state/restores.ts';
import type {State} from '../state/state.ts';
import type {Target} from '../targets/target.ts';
import {finishRestore} from './finish.ts';
import {containerIn} from './roll-back.ts';
import {touchedByUndo} from './touched.ts';
import {undoRestore} from './undo.ts';
import {planUndo} from './undo-plan.ts';

/** Starts a run that undoes or finishes a restore. @throws {BusyError} */
export type Settle = (
	record: RestoreRecord,
	verb: 'undo' | 'finish',
	options: {
		trigger: string;
		startStopped?: (() => Promise<void>) | undefined;
		/** Of what cannot be reached any more, too. */
		force?: boolean | undefined;
	},
) => Accepted<RestoreResult>;

interface SettleParts {
	workshop: Workshop;
	survey: Pick<Survey, 'one' | 'targets' | 'present'>;
	runs: Runs;
	state: State;
	repositories: Repositories;
}

export function createSettle({workshop, survey, runs, state, repositories}: SettleParts): Settle {
	const {engine, self} = workshop;

	/** Those of what was replaced, as they are now. */
	const targetsOf = async (record: RestoreRecord, {force}: {force: boolean}): Promise<ReadonlyMap<string, Target>> => {
		const present = force ? new Set((await survey.targets()).map(({name}) => name)) : undefined;
		const names = namesIn(record).filter(name => present?.has(name) !== false);
		const surveyed = await Promise.all(names.map(async name => survey.one(name)));
		return new Map(surveyed.map(found => [found.target.name, found.target]));
	};

	/** What the restore, or an undo of it, left stopped because its data was not in order. */
	const startLeft = async (record: RestoreRecord): Promise<void> => {
		const runsOfIt = runsOf(record);
		const isWanted = (entry: JournalEntry) => runsOfIt.includes(entry.run);
		const {failures} = await undoUnfinished({engine, journal: workshop.journal, isWanted, signal: neverCancelled()});
		if (failures.length > 0) {
			throw new AggregateError(failures);
		}
	};

	const ours = ({run}: {run: string}) => runs.isUnderWay(run);

	return (record, verb, {trigger, startStopped, force = false}) =>
		runs.start({
			operation: 'restore',
			target: record.target,
			occupies: namesIn(record),
			trigger,
			async work({run, signal, tell, hold}) {
				try {
					signal.throwIfAborted();
					tell({type: 'step', step: 'plan'});
					const targets = await targetsOf(record, {force});
					const keeper = repositories.named(record.keptIn);
					await keeper.open();
					const look = async () => {
						const containers = asResumed((await survey.present()).containers, workshop.journal, ours);
						return planUndo(targets, {containers, self: self.containerId}, record.replacements, record);
					};
					let found = await look();
					while (verb === 'undo' && (await hold(touchedByUndo(found, record)))) {
						found = await look();
					}

					const isLoading = record.phase === 'loading';
					const plan = isLoading ? {...found, stop: [], hooks: []} : found;
					if (plan.problems.length > 0 && !force) {
						throw new UsageError(plan.problems.join('; '), {
							hint: verb === 'finish' ? `to let go of the rest all the same: holdfast restore finish ${record.run} --force` : undefined,
						});
					}

					if (verb === 'undo' && plan.strangers.length > 0) {
						throw new UsageError(plan.strangers.join('; '));
					}

					// Half a swap is nothing to stay in: it is put back as well as can be, whatever is in the way.
					if (verb === 'undo' && !isLoading && !isHalfDone(record)) {
						await assertClear(record, {engine, signal, container: containerIn(plan.containers)});
					}

					const work = verb === 'undo' ? undoRestore : finishRestore;
					return await work(
						{...workshop, restic: keeper.restic, keeper, restores: state},
						{
							run,
							record: isLoading ? {...record, replacements: record.replacements.map(untouched)} : record,
							plan,
							tell,
							startStopped: startStopped ?? (verb === 'finish' && isHalfDone(record) ? async () => startLeft(record) : undefined),
							force,
						},
					);
				} catch (error) {
					return failed.restore({run, target: record.target}, record.point, error);
				}
			},
		});
}

/** While the application still runs: what cannot be put back is said, and nothing is stopped for it. @throws {UsageError} with each obstacle */
export async function assertClear(
	{run, replacements}: Pick<RestoreRecord, 'run' | 'replacements'>,
	{container, ...means}: {engine: Engine; signal: AbortSignal; container: (replacement: Replaced) => {id: string; name: string}},
): Promise<void> {
	const found = await Promise.all(
		replacements
			.filter(replacement => !isUntouched(replacement))
			.map(async replacement => {
				const {kind, old} = readReplaced(replacement);
				return (await kind.obstacles?.(old, {...means, container: () => container(replacement)})) ?? [];
			}),
	);
	const obstacles = found.flat();
	if (obstacles.length > 0) {
		throw new UsageError(`nothing was stopped, because it could not be put back: ${obstacles.join('; ')}`, {
			hint: `then again: holdfast restore undo ${run}`,
		});
	}
}

/** None of its targets is there any more. */
export async function isGone(record: RestoreRecord, survey: Pick<Survey, 'targets'>): Promise<boolean> {
	const present = new Set((await survey.targets()).map(({name}) => name));
	return namesIn(record).every(name => !present.has(name));
}

/** The targets of what was replaced. */
const namesIn = ({target, replacements}: RestoreRecord): string[] => [...new Set(replacements.map(other => other.target ?? target))];
