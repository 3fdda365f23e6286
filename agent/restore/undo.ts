/** What a restore replaced is put back, or let go. Either may be killed and begun again: it goes on where it was. */

import {RunError} from '../../base/errors.ts';
import type {Tell} from '../../base/events.ts';
import {neverCancelled} from '../../base/patience.ts';
import type {RestoreResult} from '../../base/results.ts';
import {untilHealthy} from '../../docker/health.ts';
import type {Workforce} from '../../docker/worker.ts';
import type {PlannedHook} from '../plan/planned.ts';
import {writingOf} from '../sources/kinds.ts';
import {isUntouched, keyOf, type Replaced, untouched, withReplaced} from '../sources/restoring.ts';
import {type RestoreRecord, runsOf, takenOver} from '../state/restores.ts';
import {type RestoreProgress, type RestoreWorkshop, restoreRun} from './context.ts';
import {aroundRestore} from './hooks.ts';
import {asBefore} from './journal.ts';
import {inOutage} from './outage.ts';
import {containerIn, isRefusal, mountsOfReplaced, rollBackAll, waysOut} from './roll-back.ts';
import type {UndoPlan} from './undo-plan.ts';

export interface UndoRun {
	run: string;
	record: RestoreRecord;
	plan: UndoPlan;
	tell: Tell;
	/** What an earlier life of the agent stopped for this restore and left so: started again when the data is in order. */
	startStopped?: (() => Promise<void>) | undefined;
	/** What cannot be let go is left where it is. */
	force?: boolean | undefined;
}

/** Puts back what was there before the restore. Never rejects. A cancel is not heeded: half of it is no state to stay in. */
export async function undoRestore(workshop: RestoreWorkshop, options: UndoRun): Promise<RestoreResult> {
	const {run, record, tell, startStopped} = options;
	const shell = {...options, target: record.target, point: record.point, isTriedAgain: startStopped !== undefined};
	return restoreRun(workshop, shell, async (workforce, progress) =>
		aroundRestore(workshop, {
			run,
			hooks: hooksOf(workshop, options),
			signal: neverCancelled(),
			tell,
			work: async () => putBack(workshop, options, workforce, progress),
		}),
	);
}

/** None where those of the restore itself are still to be ended; and half of a swap is no state to stay in, whatever they say. */
function hooksOf({journal}: RestoreWorkshop, {record, plan}: UndoRun): readonly PlannedHook[] {
	if (plan.hooks.length === 0 || journal.open().some(({run, undo}) => undo.kind === 'hook' && runsOf(record).includes(run))) {
		return [];
	}

	return record.phase === 'swapped'
		? plan.hooks
		: plan.hooks.map(({hook, ...each}) => ({...each, hook: {...hook, onError: 'continue' as const}}));
}

async function putBack(workshop: RestoreWorkshop, options: UndoRun, workforce: Workforce, progress: RestoreProgress): Promise<void> {
	const {record, plan, tell, startStopped} = options;
	const undo = beginUndo(workshop, options, progress);
	// The application need not wait until it is there. Where it cannot be made now, that is tried again when it is needed.
	const worker = await workforce
		.repository(mountsOfReplaced(record.replacements), writingOf(record.replacements.map(({source}) => source)))
		.catch(() => undefined);
	const left: Array<() => Promise<void>> = [];
	const outage = {run: options.run, stop: plan.stop, stopLimitMs: plan.stopLimitMs, wakes: new Set(record.ran), tell, progress};
	let failures: unknown[] = [];
	await inOutage(workshop, outage, async () => {
		failures = await rollBackAll(workshop, workforce, {
			...record,
			replacements: record.replacements.map(each => (isUntouched(each) ? untouched(each) : each)),
			isTouched: true,
			worker,
			container: containerIn(plan.containers),
			onBack: undo.back,
			remember: undo.remember,
			later: each => left.push(each),
			tell,
		});
		if (failures.length > 0) {
			throw new RunError('not all could be put back', {cause: new AggregateError(failures), hint: waysOut(record.run)});
		}

		undo.done({leavesMore: left.length > 0});
	}).catch(async (error: unknown) => {
		if (startStopped === undefined || failures.length === 0 || !failures.every(isRefusal)) {
			throw error;
		}

		// To try again would change nothing: the application runs on what there is, and a person decides.
		undo.fail();
		const [started] = await Promise.allSettled([startStopped()]);
		throw started.status === 'rejected' ? new AggregateError([error, started.reason]) : error;
	});
	await startStopped?.();
	for (const each of left) {
		await each();
	}

	if (left.length > 0) {
		workshop.restores.removeRestore(record.run);
	}

	const slow = await untilHealthy(
		workshop.engine,
		plan.stop.map(({container}) => container),
	);
	for (const message of slow) {
		tell({type: 'warning', message});
	}
}

/** What the record of the restore says while it is undone: on disk before, and after each that is back. */
function beginUndo({restores, journal}: RestoreWorkshop, {run, record}: UndoRun, progress: RestoreProgress) {
	const open = journal.open().map(entry => entry.run);
	let current: RestoreRecord = {...record, phase: 'undoing', settledBy: takenOver(record, run, open)};
	const save = (change: Partial<RestoreRecord>) => {
		current = {...current, ...change};
		restores.saveRestore(current);
		progress.kept = current.replacements.filter(each => !isUntouched(each));
	};
	save({});
	return {
		back: (replacement: Replaced) =>
			save({
				replacements: current.replacements.map(each => (keyOf(each) === keyOf(replacement) ? {...each, touched: false} : each)),
			}),
		remember: (replacement: Replaced) => save({replacements: withReplaced(current.replacements, replacement)}),
		/** `leavesMore`: what was made for the restore is still to be removed, which may be done while the application runs. */
		done({leavesMore}: {leavesMore: boolean}) {
			if (leavesMore) {
				save(asBefore(current));
			} else {
				restores.removeRestore(record.run);
			}

			progress.done = true;
			progress.kept = [];
		},
		fail: () => save({phase: 'failed'}),
	};
}
