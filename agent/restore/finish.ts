/** Lets go of what a restore replaced. */
import {explain, RunError} from '../../base/errors.ts';
import type {RestoreResult} from '../../base/results.ts';
import {describeReplaced, readReplaced} from '../sources/kinds.ts';
import {keyOf, type Replaced} from '../sources/restoring.ts';
import type {RestoreWorkshop} from './context.ts';
import {filesContext, restoreRun} from './context.ts';
import {mountsOfReplaced} from './roll-back.ts';
import type {UndoRun} from './undo.ts';
import {containerIn} from './undo.ts';

/** Lets go of what was replaced: after this the restore cannot be undone. Never rejects. */
export async function finishRestore(workshop: RestoreWorkshop, options: UndoRun): Promise<RestoreResult> {
	const {run, record, plan, tell, force = false} = options;
	// A volume that is gone must not be made anew by a worker that mounts it.
	const isReachable = (replacement: Replaced) => 'safety' in replacement || plan.containers.has(keyOf(replacement));
	return restoreRun(workshop, {...options, target: record.target, point: record.point}, async (workforce, progress) => {
		progress.kept = record.replacements;
		workshop.restores.saveRestore({...record, phase: 'finishing', settledBy: run});
		const mounted = record.replacements.filter(each => plan.containers.has(keyOf(each)));
		const worker = await workforce.repository(mountsOfReplaced(mounted), 'write');
		const letGo = async (replacement: Replaced): Promise<void> => {
			const {kind, old} = readReplaced(replacement);
			await kind.release(old, {
				...filesContext(workshop, worker.run),
				target: replacement.target ?? record.target,
				signal: new AbortController().signal,
				tell,
				container: () => containerIn(plan)(replacement),
			});
		};
		for (const replacement of record.replacements) {
			tell({type: 'step', step: 'clean-up', subject: replacement.source});
			const released = isReachable(replacement)
				? letGo(replacement)
				: Promise.reject(new RunError(`\`${replacement.source}\` is not there any more`));
			await released.catch((error: unknown) => {
				if (!force) {
					throw error;
				}

				const what = describeReplaced(replacement, record.target) ?? replacement.source;
				tell({type: 'warning', message: `${what} is left where it is, because ${explain(error)}`});
			});
		}

		workshop.restores.removeRestore(record.run);
		progress.done = true;
		progress.kept = [];
	});
}
