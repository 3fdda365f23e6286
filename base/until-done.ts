/** What a life cannot do without is tried until it works. */
import {setTimeout as delay} from 'node:timers/promises';
import {explain} from './errors.ts';
import type {Log} from './log.ts';

const retryMs = 2000;

/** So many are remembered. */
const mostReasons = 20;

/** Tries until it works; says what is wrong once for each new reason. */
export async function untilDone<Value>(
	problem: string,
	{log, signal}: {log: Log; signal: AbortSignal},
	attempt: () => Promise<Value>,
): Promise<Value> {
	const said = new Set<string>();
	const {promise: aborted, reject} = Promise.withResolvers<never>();
	aborted.catch(() => {});
	signal.addEventListener('abort', () => reject(signal.reason), {once: true});
	for (;;) {
		signal.throwIfAborted();
		try {
			return await Promise.race([attempt(), aborted]);
		} catch (error) {
			signal.throwIfAborted();
			const reason = explain(error);
			if (!said.has(reason)) {
				log.error(`${problem}: ${reason}`);
				// The same trouble may be put into one of several words, in turn; and into ever new ones, with a time in them.
				said.add(reason);
				if (said.size > mostReasons) {
					said.delete([...said][0] as string);
				}
			}
		}

		await delay(retryMs, undefined, {signal});
	}
}
