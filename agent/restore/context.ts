/** What restoring, undoing and letting go have in common: the workers of the run, and a result whatever happens. */

import type {Place} from '../../base/command.ts';
import {explain} from '../../base/errors.ts';
import {type Tell, warner} from '../../base/events.ts';
import type {RestoreResult, Tolerated} from '../../base/results.ts';
import {staging, type Workforce} from '../../docker/worker.ts';
import type {NamedRepository} from '../repository/repositories.ts';
import {withWorkers} from '../runs/shell.ts';
import type {Workshop} from '../runs/workshop.ts';
import {into} from '../sources/feed.ts';
import {describeReplaced} from '../sources/kinds.ts';
import {isUntouched, type Replaced, type UndoContext} from '../sources/restoring.ts';
import {isHalfDone, type RestoreJournal, runsOf} from '../state/restores.ts';
import {asBefore} from './journal.ts';

/** `restic` is on the repository that holds the point. */
export interface RestoreWorkshop extends Workshop {
	restores: RestoreJournal;
	/** The repository that what is overwritten goes to. */
	keeper: Pick<NamedRepository, 'name' | 'restic'>;
}

export interface RestoreProgress {
	outageSeconds: number;
	/** What the run was for is done: what fails after that makes it partial. */
	done: boolean;
	/** What is still kept of what was replaced. */
	kept: readonly Replaced[];
	/** Errors that loading went on after. */
	tolerated: Tolerated[];
	/** The database that was made beside the live ones. */
	into?: string | undefined;
	/** What is live now, where it fails: for people. Undefined where the error says it. */
	ending?: string | undefined;
}

interface Shell {
	run: string;
	target: string;
	point: string;
	tell: Tell;
	/** It belongs to a recovery, which goes on until all is settled. */
	isTriedAgain?: boolean;
}

/** Never rejects: whatever happens is the outcome. */
export async function restoreRun(
	workshop: RestoreWorkshop,
	{run, target, point, tell, isTriedAgain = false}: Shell,
	work: (workforce: Workforce, progress: RestoreProgress) => Promise<void>,
): Promise<RestoreResult> {
	const progress: RestoreProgress = {outageSeconds: 0, done: false, kept: [], tolerated: []};
	const failures = await withWorkers(workshop, {run, tell}, async workforce => work(workforce, progress));
	const errors = failures.map(explain);

	try {
		if (!isTriedAgain) {
			leaveToPerson(workshop, run);
		}
	} catch (error) {
		errors.push(explain(error));
	}

	if (errors.length > 0 && !progress.done && progress.ending !== undefined) {
		errors.push(progress.ending);
	}

	return {
		run,
		target,
		point,
		outcome: progress.done ? (errors.length === 0 ? 'success' : 'partial') : 'failed',
		replaced: progress.kept.flatMap(replacement => describeReplaced(replacement, target) ?? []),
		...(progress.done && progress.into !== undefined ? {into: progress.into} : {}),
		...(progress.tolerated.length === 0 ? {} : {tolerated: progress.tolerated}),
		outageSeconds: progress.outageSeconds,
		...(errors.length === 0 ? {} : {error: errors.join('; ')}),
	};
}

/**
 * The run is over, and the applications run on what there is: from now on an undo would lose what they write. Where one could not be started,
 * nothing is written, and a recovery puts all of it back. Where all is as it was, only what was loaded beside it is still to be removed.
 */
function leaveToPerson({restores, journal}: RestoreWorkshop, run: string): void {
	if (journal.open().some(entry => entry.run === run)) {
		return;
	}

	for (const record of restores.restores().filter(isHalfDone)) {
		if (runsOf(record).includes(run)) {
			const isBack = record.replacements.length > 0 && record.replacements.every(isUntouched);
			restores.saveRestore(isBack ? {...record, ...asBefore(record)} : {...record, phase: 'failed'});
		}
	}
}

/** What every verb works with that reads or writes files, in a worker. @param withoutLock nothing is written to the repository */
export const filesContext = (
	workshop: RestoreWorkshop,
	worker: Place,
	tell?: Tell,
	{withoutLock = false}: {withoutLock?: boolean} = {},
): Pick<UndoContext, 'engine' | 'worker' | 'restic' | 'resticInto' | 'staging'> => {
	const options = {withoutLock, ...(tell === undefined ? {} : {onTrouble: warner(tell)})};
	return {
		engine: workshop.engine,
		worker,
		restic: workshop.restic(worker, options),
		resticInto: file => workshop.restic(into(worker, file), options),
		staging,
	};
};
