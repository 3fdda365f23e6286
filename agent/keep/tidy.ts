/** After a backup: what belongs to no point goes, and what no rule keeps any more. */
import {explain} from '../../base/errors.ts';
import type {Tell} from '../../base/events.ts';
import type {BackupResult} from '../../base/results.ts';
import type {Marked, Point} from '../repository/points.ts';
import type {Sweeper} from './sweep.ts';
import type {Verdicts} from './verdicts.ts';

interface TidyParts {
	sweeper: Pick<Sweeper, 'sweep'>;
	verdicts: Verdicts;
}

/** A list of the repository is of now for so long: others may remove from it, and add to it. */
export const freshMs = 5000;

export interface TidyOptions {
	/** All of the repository, as they are after the run, but for what others did in `freshMs`. */
	snapshots: Promise<readonly Marked[]>;
	/** Its workers are removed. */
	dismissed: Promise<unknown>;
	tell: Tell;
}

/** Never rejects: a backup that was made is made, and what is left is told. */
export async function tidy(
	{sweeper, verdicts}: TidyParts,
	result: BackupResult,
	{snapshots: listed, dismissed, tell}: TidyOptions,
): Promise<void> {
	const {run, target} = result;
	try {
		const snapshots = await listed;
		const points = await expired(verdicts, result, snapshots).catch((error: unknown) => {
			tell({type: 'warning', message: `restore points that are kept no longer could not be removed: ${explain(error)}`});
			return [];
		});
		if (points.length > 0) {
			tell({type: 'step', step: 'forget', subject: `${points.length} of the restore points`});
		}

		const warning = await sweeper.sweep({run, target, snapshots, points, dismissed});
		if (warning !== undefined) {
			tell({type: 'warning', message: warning});
		}
	} catch (error) {
		tell({type: 'warning', message: `what is kept no longer could not be forgotten: ${explain(error)}`});
	}
}

async function expired(verdicts: Verdicts, ended: BackupResult, snapshots: readonly Marked[]): Promise<Point[]> {
	const retentions = await verdicts({ended, snapshots});
	return retentions.flatMap(({points}) => points.flatMap(({action, point}) => (action === 'remove' ? [point] : [])));
}
