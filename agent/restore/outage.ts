/** The outage of a restore, and of its undo. */

import type {Tell} from '../../base/events.ts';
import {neverCancelled} from '../../base/patience.ts';
import {quiesced} from '../../docker/quiesce.ts';
import type {Quiesce} from '../../docker/still.ts';
import type {RestoreProgress, RestoreWorkshop} from './context.ts';

interface Outage {
	run: string;
	/** Who stands still, and who of them ran before, by name: these are started whatever state they are in. */
	stop: Quiesce['containers'];
	wakes?: ReadonlySet<string> | undefined;
	stopLimitMs?: number | undefined;
	tell: Tell;
	progress: Pick<RestoreProgress, 'outageSeconds'>;
}

/** A cancel is heeded before and after: what was begun is done, or rolled back, before anything is started again. @throws what `quiesced` does */
export const inOutage = async (
	workshop: RestoreWorkshop,
	{run, stop, wakes, stopLimitMs, tell, progress}: Outage,
	work: () => Promise<void>,
): Promise<void> =>
	quiesced(
		{
			...workshop,
			run,
			containers: stop,
			wakes,
			stopLimitMs,
			signal: neverCancelled(),
			onWarning: message => tell({type: 'warning', message}),
			onQuiesce: subject => tell({type: 'step', step: 'stop', subject}),
			onResume: () => tell({type: 'step', step: 'start'}),
			onWindow(windowMs) {
				progress.outageSeconds += windowMs / 1000;
			},
		},
		work,
	);
