/** A restore that fails takes back what it made and replaced so far. */
import {explain, RunError} from '../../base/errors.ts';
import type {Tell} from '../../base/events.ts';
import type {Worker, Workforce} from '../../docker/worker.ts';
import {isUntouched, keyOf} from '../sources/restoring.ts';
import type {RestoreProgress, RestoreWorkshop} from './context.ts';
import type {OpenRestore} from './journal.ts';
import type {Restoration} from './plan/plan.ts';
import {containerIn, rollBackAll, waysOut} from './roll-back.ts';

/** What a restore has in hand. */
export interface Hands {
	workforce: Workforce;
	journal: OpenRestore;
	progress: RestoreProgress;
	/** What a roll-back leaves for the time when the application runs again. */
	left: Array<() => Promise<void>>;
	/** All is put back. */
	isBack: boolean;
}

/** Whatever was made or replaced so far. What cannot be undone now stays in the journal: what disturbs nobody for the next start, the rest for a person. */
export async function takeBack(
	workshop: RestoreWorkshop,
	{restoration, run, tell}: {restoration: Restoration; run: string; tell: Tell},
	hands: Hands,
	{worker, cause}: {worker: Worker; cause: unknown},
): Promise<void> {
	const {workforce, journal, progress, left} = hands;
	const containers = new Map(restoration.sources.map(({target, name, container}) => [keyOf({target, source: name}), container]));
	const replacements = journal.toRollBack();
	const failures = await rollBackAll({...workshop, restic: workshop.keeper.restic}, workforce, {
		replacements,
		target: restoration.target,
		container: containerIn(containers),
		worker,
		isTouched: journal.isTouched(),
		onBack: journal.restored,
		remember: journal.remember,
		later: each => left.push(each),
		tell,
	});
	if (failures.length > 0) {
		progress.kept = journal.replacements().filter(each => !isUntouched(each));
		const why = {cause: new AggregateError([cause, ...failures])};
		if (progress.kept.length === 0) {
			journal.back();
			throw new RunError('the restore failed; what was there is in its place, but what was loaded beside it could not all be removed', {
				...why,
				hint: 'that is done when the agent starts again',
			});
		}

		throw new RunError('the restore failed, and what it had replaced could not all be put back', {...why, hint: waysOut(run)});
	}

	if (left.length === 0) {
		journal.remove();
	} else {
		journal.back();
		hands.isBack = true;
	}
}

/** What cannot be removed now disturbs nobody: it is in the journal for the next start. */
export async function clearLeft({left, isBack, journal}: Hands, tell: Tell): Promise<void> {
	try {
		for (const each of left) {
			await each();
		}

		if (isBack) {
			journal.remove();
		}
	} catch (error) {
		tell({type: 'warning', message: `what was restored and is not needed is removed when the agent starts again: ${explain(error)}`});
	}
}

/** @param failures undefined where there is none */
export const notBack = (run: string, failures: readonly unknown[]): RunError =>
	new RunError('the application is not well on what was restored, and what was there before could not be put back', {
		cause: new AggregateError(failures.filter(failure => failure !== undefined)),
		hint: waysOut(run),
	});
