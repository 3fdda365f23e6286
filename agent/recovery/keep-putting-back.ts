/** What a run of this life could not put back is tried again, for as long as the agent lives. */
import {setTimeout as delay} from 'node:timers/promises';
import type {JournalEntry} from '../../docker/resume.ts';
import {isHeldBack} from '../restore/recover.ts';
import type {Runs} from '../runs/runs.ts';
import {isLeftBehind, putBack} from './recovery.ts';

/** How often it is tried again to put back what a run could not. */
const putBackMs = 10_000;

/** Until the signal: what a run of this life left because it could not put it back. */
export async function keepPuttingBack(
	recovery: Parameters<typeof putBack>[0],
	{isUnderWay, upTo, signal}: Pick<Runs, 'isUnderWay'> & {upTo: number; signal: AbortSignal},
): Promise<void> {
	const isWanted = (entry: JournalEntry) => entry.id > upTo && isLeftBehind(entry, isUnderWay) && !isHeldBack(entry, recovery.state);
	for (;;) {
		await delay(putBackMs, undefined, {signal});
		if (recovery.state.open().some(isWanted)) {
			await putBack(recovery, {isWanted, signal}).catch((error: unknown) =>
				recovery.log.error('what a run left quiesced could not be put back', {error}),
			);
		}
	}
}
