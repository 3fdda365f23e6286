/** The end of an agent: how long it waits for what its runs put back. */
import {setTimeout as delay} from 'node:timers/promises';
import type {Engine} from '../../docker/engine.ts';
import type {State} from '../state/state.ts';

/** A run that is cancelled removes its workers once all is put back; whoever ends the agent does not wait longer for that. What is left, the next start removes. */
const tidyMs = 8000;
const awayMs = 2000;
const lookMs = 500;

/** Resolves when waiting puts nothing back: nothing is quiesced, or the engine is away. What is open then is in the journal, for the next start. */
export async function untilNothingIsWon(engine: Engine, state: Pick<State, 'open'>): Promise<void> {
	let settledAt: number | undefined;
	for (let away = 0; away < 2; ) {
		await delay(lookMs);
		settledAt = state.open().length === 0 ? (settledAt ?? performance.now()) : undefined;
		if (settledAt !== undefined && performance.now() - settledAt > tidyMs) {
			return;
		}

		const answers = await Promise.race([engine.info().then(Boolean, () => false), delay(awayMs, false)]);
		away = answers ? 0 : away + 1;
	}
}
