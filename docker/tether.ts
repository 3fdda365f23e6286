/**
 * Ties a worker to its agent: a command in the worker reads an input that only the agent has open. When the agent is gone, however it ended, the input ends,
 * and a little later the worker: it keeps no network and no volume in use. What was only a connection that broke is made again in time.
 */
import {setTimeout as delay} from 'node:timers/promises';
import type {Engine} from './engine.ts';
import {statusOf} from './refusal.ts';

/** Seconds in which a connection that broke may be made again. */
const graceSeconds = 10;

/** What stands between the agent and its engine may end a connection on which nothing happens. */
const beatMs = 60_000;

const retryMs = 1000;

/** The last one counts. `tini` is the first process, and hands the signal on. */
const script = `echo "$$" >/tmp/.tether; cat >/dev/null; sleep ${graceSeconds}; test "$(cat /tmp/.tether)" != "$$" || kill 1`;

/** @returns what lets go of it: the worker is about to be removed */
export function tether(engine: Engine, id: string): () => void {
	const letGo = new AbortController();
	void hold(engine, id, letGo.signal);
	return () => letGo.abort();
}

async function hold(engine: Engine, id: string, signal: AbortSignal): Promise<void> {
	while (!signal.aborted) {
		try {
			await holdOnce(engine, id, signal);
		} catch (error) {
			// It is gone, or stopped.
			if (statusOf(error) === 404 || statusOf(error) === 409) {
				return;
			}
		}

		await delay(retryMs, undefined, {signal, ref: false}).catch(() => {});
	}
}

/** Until the connection breaks. */
async function holdOnce(engine: Engine, id: string, signal: AbortSignal): Promise<void> {
	const {stream} = await engine.exec(id, {argv: ['sh', '-c', script], env: [], user: '0', stdin: true});
	const {promise: broken, resolve} = Promise.withResolvers<void>();
	const beat = setInterval(() => stream.write('\n'), beatMs);
	beat.unref();
	stream.on('error', () => resolve());
	stream.once('close', resolve);
	stream.once('end', resolve);
	stream.resume();
	const end = () => stream.destroy();
	signal.addEventListener('abort', end, {once: true});
	if (signal.aborted) {
		end();
	}

	await broken;
	clearInterval(beat);
	signal.removeEventListener('abort', end);
	stream.destroy();
}
