/** A restore run: load beside what is live, stop the dependents, keep what is overwritten, swap, start again. */

import {untilHealthy, wellAmong} from '../docker/health.ts';
import {quiesced} from '../docker/quiesce.ts';
import {hireWorkers, staging, type WorkerMount, type Workforce} from '../docker/worker.ts';
import {once, type Workshop} from './backup.ts';
import {explain, RunError} from './errors.ts';
import type {RestoreResult, Tell, Tolerated} from './events.ts';
import {type Previous, previousOf} from './previous.ts';
import type {RestoreJournal, RestorePhase, RestoreRecord} from './replacements.ts';
import type {Restoration} from './restore-plan.ts';
import {into} from './sources/feed.ts';
import {workerMount} from './sources/mounts.ts';
import {
	describeReplacement,
	type Replacement,
	type RestoreContext,
	type Restoring,
	type UndoContext,
	untouched,
} from './sources/restoring.ts';
import {createRestoring, rollBack} from './sources/restoring-table.ts';

export interface RestoreWorkshop extends Workshop {
	restores: RestoreJournal;
}

export interface RestoreRun {
	run: string;
	startedAt: Date;
	restoration: Restoration;
	/** The newest point of the target: files that did not change since need not be read again for the safety point. */
	previous: Previous | undefined;
	signal: AbortSignal;
	tell: Tell;
}

/** Never rejects: whatever happens is the outcome. */
export async function restore(workshop: RestoreWorkshop, options: RestoreRun): Promise<RestoreResult> {
	const {run, restoration, tell} = options;
	const state: Progress = {outageSeconds: 0, swapped: false, tolerated: []};
	const journal = journalOf(workshop.restores, options);
	const errors: string[] = [];
	try {
		tell({type: 'step', step: 'workers'});
		const workforce = await hireWorkers({...workshop, run});
		try {
			await work(workshop, options, {workforce, journal, state});
		} finally {
			tell({type: 'step', step: 'clean-up'});
			await workforce.dismiss();
		}
	} catch (error) {
		errors.push(explain(error));
	}

	return {
		run,
		target: restoration.target,
		point: restoration.point.id,
		outcome: state.swapped ? (errors.length === 0 ? 'success' : 'partial') : 'failed',
		replaced: state.swapped ? journal.replacements().flatMap(replacement => describeReplacement(replacement) ?? []) : [],
		...(state.swapped && restoration.into !== undefined ? {into: restoration.into} : {}),
		...(state.tolerated.length === 0 ? {} : {tolerated: state.tolerated}),
		outageSeconds: state.outageSeconds,
		...(errors.length === 0 ? {} : {error: errors.join('; ')}),
	};
}

interface Progress {
	outageSeconds: number;
	swapped: boolean;
	tolerated: Tolerated[];
}

interface RunJournal {
	remember: (replacement: Replacement) => void;
	phase: (phase: RestorePhase) => void;
	replacements: () => readonly Replacement[];
	/** What a roll-back has to look at, in its order. */
	toRollBack: () => readonly Replacement[];
	remove: () => void;
}

function journalOf(restores: RestoreJournal, {run, restoration}: RestoreRun): RunJournal {
	let record: RestoreRecord = {
		run,
		target: restoration.target,
		point: restoration.point.id,
		phase: 'loading',
		replacements: [],
		swappedAt: null,
		settledBy: null,
	};
	const save = (change: Partial<RestoreRecord>) => {
		record = {...record, ...change};
		restores.saveRestore(record);
	};

	return {
		remember(replacement) {
			const known = new Map(record.replacements.map(other => [other.source, other]));
			save({replacements: [...known.set(replacement.source, replacement).values()]});
		},
		phase: phase => save({phase, ...(phase === 'swapped' ? {swappedAt: Date.now()} : {})}),
		replacements: () => record.replacements,
		toRollBack: () => (record.phase === 'loading' ? record.replacements.map(untouched) : record.replacements).toReversed(),
		remove: () => restores.removeRestore(run),
	};
}

interface Hands {
	workforce: Workforce;
	journal: RunJournal;
	state: Progress;
}

async function work(workshop: RestoreWorkshop, options: RestoreRun, {workforce, journal, state}: Hands): Promise<void> {
	const {run, restoration, signal, tell} = options;
	const worker = await workforce.repository(mountsOf(restoration), 'write');
	const context = contextOf(workshop, options, {workforce, journal, state}, worker.run);
	const crew = restoration.sources.map((source, index) => createRestoring(source, context, index, restoration.sources));
	const undone = async (error: unknown): Promise<never> => {
		await undo(journal, context, options, error);
		throw error;
	};

	try {
		await eachInTurn(crew, async source => {
			signal.throwIfAborted();
			tell({type: 'step', step: 'load', subject: source.name});
			await source.load();
		}).catch(undone);
		const containers = restoration.stop.map(({container}) => container);
		const well = await wellAmong(workshop.engine, containers);
		const still = async (what: () => Promise<void>) =>
			quiesced(
				{
					...workshop,
					run,
					containers: restoration.stop,
					// A cancel is heeded between the steps: what was begun is rolled back before anything is started again.
					signal: new AbortController().signal,
					onQuiesce: subject => tell({type: 'step', step: 'stop', subject}),
					onWindow(windowMs) {
						state.outageSeconds += windowMs / 1000;
					},
					onResume: () => tell({type: 'step', step: 'start'}),
				},
				what,
			);
		let startFailure: unknown;
		try {
			await still(async () => {
				await swapAll(crew, options, journal).catch(undone);
				state.swapped = true;
			});
		} catch (error) {
			if (!state.swapped) {
				throw error;
			}

			startFailure = error;
		}

		await untilHealthy(workshop.engine, well).catch(async (error: unknown) => {
			tell({type: 'warning', message: `${explain(error)}; what was replaced is put back`});
			journal.phase('undoing');
			await still(async () => {
				await undo(journal, context, options, error);
				state.swapped = false;
			});
			throw new RunError('the application is not well on what was restored, so what was there before is back', {cause: error});
		});
		if (startFailure !== undefined) {
			throw startFailure;
		}

		// Those that were not well before cannot tell whether the restored data is good.
		await untilHealthy(
			workshop.engine,
			containers.filter(({id}) => !well.some(other => other.id === id)),
		);
	} finally {
		await Promise.allSettled(crew.map(async source => source.close()));
	}
}

async function swapAll(crew: readonly Restoring[], {signal, tell}: RestoreRun, journal: RunJournal): Promise<void> {
	await eachInTurn(crew, async source => {
		signal.throwIfAborted();
		tell({type: 'step', step: 'safety-point', subject: source.name});
		await source.keep();
	});
	signal.throwIfAborted();
	journal.phase('swapping');
	await eachInTurn(crew, async source => {
		signal.throwIfAborted();
		tell({type: 'step', step: 'swap', subject: source.name});
		await source.swap();
	});
	journal.phase('swapped');
}

/** Whatever was made or replaced so far. What cannot be undone now stays in the journal, to be tried again. */
async function undo(journal: RunJournal, context: RestoreContext, {restoration, run}: RestoreRun, cause: unknown): Promise<void> {
	const containers = new Map(restoration.sources.map(({name, container}) => [name, container]));
	const undoContext: UndoContext = {
		...context,
		signal: new AbortController().signal,
		container: source => containers.get(source) ?? raise(source),
	};
	const failures: unknown[] = [];
	for (const replacement of journal.toRollBack()) {
		await rollBack(replacement, undoContext).catch((error: unknown) => failures.push(error));
	}

	if (failures.length > 0) {
		throw new RunError('the restore failed, and what it had replaced could not all be put back', {
			cause: new AggregateError([cause, ...failures]),
			hint: `when the cause is mended: holdfast restore undo ${run}`,
		});
	}

	journal.remove();
}

function raise(source: string): never {
	throw new RunError(`\`${source}\` has no container any more`);
}

async function eachInTurn<Item>(items: readonly Item[], verb: (item: Item) => Promise<void>): Promise<void> {
	for (const item of items) {
		await verb(item);
	}
}

/** The mounts that the file sources need, all writable. */
function mountsOf({target, sources}: Restoration): WorkerMount[] {
	const mounts = sources.flatMap(source => ('mount' in source ? [workerMount(target, source)] : []));
	return [...new Map(mounts.map(mount => [mount.to, mount])).values()];
}

function contextOf(
	workshop: RestoreWorkshop,
	options: RestoreRun,
	{workforce, journal, state}: Hands,
	worker: RestoreContext['worker'],
): RestoreContext {
	const {run, restoration, previous, signal, tell, startedAt} = options;
	return {
		run,
		target: restoration.target,
		engine: workshop.engine,
		worker,
		dumpWorker: once(workforce.dump),
		restic: workshop.restic(worker),
		resticInto: file => workshop.restic(into(worker, file)),
		staging,
		host: workshop.host,
		time: () => startedAt,
		previous: previousOf(previous),
		remember: journal.remember,
		tolerate(tolerated) {
			state.tolerated.push(tolerated);
			const {source, what, count} = tolerated;
			tell({type: 'warning', message: `\`${source}\`: ${count === 1 ? 'an error was' : `${count} errors were`} tolerated: ${what}`});
		},
		signal,
		tell,
	};
}
