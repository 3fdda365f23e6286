/** Engine events as one signal: something about containers changed, or may have. A lost stream is opened again, and counts as a change. */
import {setTimeout as delay} from 'node:timers/promises';
import {linesOf} from '../base/lines.ts';
import type {Engine} from './engine.ts';

const settleMs = 1000;
const reopenMs = 1000;

/** Execs come with every command that Holdfast runs, and change nothing. */
const matters = (line: string) => !/"Action":"(?:exec_|health_status|top)/.test(line);

/**
 * Calls `onChange` once at the start, and then after changes, several close together as one; never twice at a time, so that a busy
 * engine is not asked ever more. Ends with the signal.
 * @param onLost the stream ended: the engine is away
 */
export async function watchContainers(
	engine: Engine,
	{signal, onChange, onLost}: {signal: AbortSignal; onChange: () => Promise<void>; onLost: (error: unknown) => void},
): Promise<void> {
	while (!signal.aborted) {
		try {
			const events = await engine.events(signal);
			await onChange();
			let isWaiting = false;
			let changing = Promise.resolve();
			const settle = async () => {
				await delay(settleMs, undefined, {signal});
				isWaiting = false;
				await onChange();
			};

			for await (const line of linesOf(events)) {
				if (matters(line) && !isWaiting) {
					isWaiting = true;
					changing = changing.then(settle).catch(onLost);
				}
			}

			throw new Error('the engine ended its stream of events');
		} catch (error) {
			if (!signal.aborted) {
				onLost(error);
				await delay(reopenMs, undefined, {signal}).catch(() => {});
			}
		}
	}
}
