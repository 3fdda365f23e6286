/** Engine events as one signal: something about containers changed, or may have. A lost stream is opened again, and counts as a change. */
import {setTimeout as delay} from 'node:timers/promises';
import {linesOf} from '../base/lines.ts';
import {workerLabel} from './container.ts';
import type {Engine} from './engine.ts';

const settleMs = 1000;

/** Where one change follows the other, as on a machine that builds or tests: each call asks for all that there is. */
const restMs = 3000;

/** As many times as long as a call takes it rests after it: where others keep the machine busy, this is not what makes it busier. */
const restsPerCall = 5;
const longestRestMs = 30_000;
const reopenMs = 1000;

/** Execs come with every command that Holdfast runs, and change nothing; a signal is followed by a death, or by nothing; workers come and go with each run. */
const matters = (line: string) =>
	!/"Action":"(?:exec_|health_status|top|kill|attach|resize|archive-path|extract-to-dir)/.test(line) && !line.includes(`"${workerLabel}":`);

/**
 * Calls `onChange` once at the start, and then after changes, several close together as one; never twice at a time, nor without a rest between, so
 * that a busy engine is not asked ever more. Ends with the signal.
 * @param onLost the stream ended: the engine is away
 */
export async function watchContainers(
	engine: Engine,
	{
		signal,
		onChange,
		onLost,
		rest = restMs,
	}: {
		signal: AbortSignal;
		onChange: () => Promise<void>;
		onLost: (error: unknown) => void;
		/** Milliseconds from the end of a call to the next one, at least. */
		rest?: number;
	},
): Promise<void> {
	while (!signal.aborted) {
		try {
			const events = await engine.events(signal);
			let restedAt = 0;
			let isWaiting = false;
			const call = async () => {
				const begun = performance.now();
				await onChange().finally(() => {
					const now = performance.now();
					restedAt = now + Math.max(rest, Math.min(longestRestMs, (now - begun) * restsPerCall));
				});
			};
			await call();
			let changing = Promise.resolve();
			const settle = async () => {
				await delay(Math.max(settleMs, restedAt - performance.now()), undefined, {signal});
				isWaiting = false;
				await call();
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
