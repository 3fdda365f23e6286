/** Lets go of what a restore replaced. */

import {explain, RunError} from '../../base/errors.ts';
import {neverCancelled} from '../../base/patience.ts';
import type {RestoreResult} from '../../base/results.ts';
import type {Worker} from '../../docker/worker.ts';
import {describeReplaced, readReplaced} from '../sources/kinds.ts';
import {isUntouched, keyOf, type Replaced, type UndoContext, untouched, withReplaced} from '../sources/restoring.ts';
import {type RestorePhase, takenOver} from '../state/restores.ts';
import type {RestoreWorkshop} from './context.ts';
import {filesContext, restoreRun} from './context.ts';
import {containerIn, mountsOfReplaced} from './roll-back.ts';
import type {UndoRun} from './undo.ts';

/** Lets go of what was replaced: after this the restore cannot be undone. Never rejects. */
export async function finishRestore(workshop: RestoreWorkshop, options: UndoRun): Promise<RestoreResult> {
	const {record, plan, startStopped} = options;
	return restoreRun(workshop, {...options, target: record.target, point: record.point}, async (workforce, progress) => {
		progress.kept = record.replacements.filter(each => !isUntouched(each));
		let saved = {...record, phase: phaseOf(record.phase), settledBy: settledBy(workshop, options)};
		const save = (replacements: readonly Replaced[]) => {
			saved = {...saved, replacements};
			workshop.restores.saveRestore(saved);
		};
		save(record.replacements);
		const mounted = record.replacements.filter(each => plan.containers.has(keyOf(each)));
		const worker = await workforce.repository(mountsOfReplaced(mounted), 'let go');
		await letGoOfAll(workshop, options, worker, replacement => save(withReplaced(saved.replacements, replacement)));
		workshop.restores.removeRestore(record.run);
		await startStopped?.();
		progress.done = true;
		progress.kept = [];
	});
}

const settledBy = ({journal}: RestoreWorkshop, {record, run}: UndoRun) =>
	takenOver(
		record,
		run,
		journal.open().map(entry => entry.run),
	);

/** Each is tried. @throws {RunError} where some of it is still there */
async function letGoOfAll(workshop: RestoreWorkshop, options: UndoRun, worker: Worker, remember: UndoContext['remember']): Promise<void> {
	const {record, tell, force = false} = options;
	const failures: unknown[] = [];
	for (const replacement of record.replacements) {
		tell({type: 'step', step: 'clean-up', subject: replacement.source});
		await letGo(workshop, options, {worker, remember}, replacement).catch((error: unknown) => {
			if (!force) {
				failures.push(error);
				return;
			}

			const what = describeReplaced(replacement, record.target) ?? replacement.source;
			tell({type: 'warning', message: `${what} is left where it is, because ${explain(error)}`});
		});
	}

	if (failures.length > 0) {
		throw new RunError('not all could be let go', {
			cause: new AggregateError(failures),
			hint: `to leave that where it is: holdfast restore finish ${record.run} --force`,
		});
	}
}

async function letGo(
	workshop: RestoreWorkshop,
	{record, plan, tell}: UndoRun,
	{worker, remember}: {worker: Worker; remember: UndoContext['remember']},
	replacement: Replaced,
): Promise<void> {
	// A volume that is gone must not be made anew by a worker that mounts it.
	if (!('safety' in replacement) && !plan.containers.has(keyOf(replacement))) {
		throw new RunError(`\`${replacement.source}\` is not there any more`);
	}

	const {kind, old} = readReplaced(replacement);
	const left: Array<() => Promise<void>> = [];
	const context = {
		...filesContext(workshop, worker.run),
		target: replacement.target ?? record.target,
		isHalf: record.phase !== 'swapped' && record.phase !== 'finishing',
		signal: neverCancelled(),
		tell,
		later: (each: () => Promise<void>) => left.push(each),
		remember,
		container: () => containerIn(plan.containers)(replacement),
	};
	// Where all were swapped, none was left as it was, whatever an older journal says.
	if (context.isHalf && isUntouched(replacement)) {
		// What was loaded beside the live data, and never took its place.
		await kind.rollBack(untouched(old), context);
		await Promise.all(left.map(async each => each()));
	}

	await kind.release(old, context);
}

/** While it is let go. What may be half replaced is left to nobody but the person who is at it. */
const phaseOf = (phase: RestorePhase): RestorePhase =>
	phase === 'swapped' || phase === 'finishing' ? 'finishing' : phase === 'loading' ? phase : 'failed';
