/** Lets go of what a restore replaced. */
import type {RestoreResult} from '../../base/results.ts';
import {readReplaced} from '../sources/kinds.ts';
import type {RestoreWorkshop} from './context.ts';
import {filesContext, restoreRun} from './context.ts';
import {mountsOfReplaced} from './roll-back.ts';
import type {UndoRun} from './undo.ts';
import {containerIn} from './undo.ts';

/** Lets go of what was replaced: after this the restore cannot be undone. Never rejects. */
export async function finishRestore(workshop: RestoreWorkshop, options: UndoRun): Promise<RestoreResult> {
	const {run, record, plan, tell} = options;
	return restoreRun(workshop, {...options, target: record.target, point: record.point}, async (workforce, progress) => {
		progress.kept = record.replacements;
		workshop.restores.saveRestore({...record, phase: 'finishing', settledBy: run});
		const worker = await workforce.repository(mountsOfReplaced(record.replacements), 'write');
		for (const replacement of record.replacements) {
			tell({type: 'step', step: 'clean-up', subject: replacement.source});
			const {kind, old} = readReplaced(replacement);
			await kind.release(old, {
				...filesContext(workshop, worker.run),
				target: replacement.target ?? record.target,
				signal: new AbortController().signal,
				tell,
				container: () => containerIn(plan)(replacement),
			});
		}

		workshop.restores.removeRestore(record.run);
		progress.done = true;
		progress.kept = [];
	});
}
