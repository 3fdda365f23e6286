/** What a run of this life could not put back is tried again, for as long as the agent lives. */
import {setTimeout as delay} from 'node:timers/promises';
import type {JournalEntry} from '../../docker/resume.ts';
import {isHeldBack} from '../restore/recover.ts';
import type {Runs} from '../runs/runs.ts';
import {putBack} from './recovery.ts';

/** How often it is tried again to put back what a run could not. */
const putBackMs = 10_000;

/** A hook whose container does not run may have to wait for a person. */
const longestHookMs = 10 * 60_000;

interface Keeping extends Pick<Runs, 'isUnderWay'> {
	/** The newest entry of an earlier life. */
	upTo: number;
	/** Until then others put back what that left, but for what is held back by a restore: of this a roll-back may fail to start something. */
	earlier: Promise<unknown>;
	signal: AbortSignal;
}

/** Until the signal: what a run left because it could not put it back. */
export async function keepPuttingBack(
	recovery: Parameters<typeof putBack>[0],
	{isUnderWay, upTo, earlier, signal}: Keeping,
): Promise<void> {
	let after = upTo;
	earlier.then(
		() => {
			after = 0;
		},
		() => {},
	);
	const isWanted = (entry: JournalEntry) => entry.id > after && !isUnderWay(entry.run) && !isHeldBack(entry, recovery.state);
	const left = () => recovery.state.open().filter(isWanted);
	for (let pauseMs = putBackMs; ; ) {
		await delay(pauseMs, undefined, {signal});
		if (left().length > 0) {
			await putBack(recovery, {isWanted, signal}).catch((error: unknown) =>
				recovery.log.error('what a run left quiesced could not be put back', {error}),
			);
		}

		const isPatient = left().length > 0 && left().every(({undo}) => undo.kind === 'hook');
		pauseMs = isPatient ? Math.min(pauseMs * 2, longestHookMs) : putBackMs;
	}
}
