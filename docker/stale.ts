/**
 * An engine that is started anew makes its socket anew, where nobody (systemd) keeps it for it. Who has the file mounted keeps the one before, which nobody
 * listens to any more; with `live-restore` the agent lives on like that, and what it quiesced stays down. Only a start of its container mounts the new one.
 */
import {once} from 'node:events';
import {stat} from 'node:fs/promises';
import {setTimeout as delay} from 'node:timers/promises';
import type {Engine} from './engine.ts';

const lookMs = 2000;

/** An engine that is being started answers by then: what ends while it is away may not be started again by it. */
const startMs = 30_000;

/**
 * Resolves when the socket was removed and nobody has answered since, for a while; never where it is no file. Rejects with the signal.
 * @param linksOf other in tests
 */
export async function untilStale(
	{address, info}: Pick<Engine, 'address' | 'info'>,
	{
		signal,
		patienceMs = startMs,
		intervalMs = lookMs,
		linksOf = async path => (await stat(path)).nlink,
	}: {signal: AbortSignal; patienceMs?: number; intervalMs?: number; linksOf?: (path: string) => Promise<number>},
): Promise<void> {
	const path = /^unix:\/\/(.+)/.exec(address)?.[1];
	if (path === undefined) {
		signal.throwIfAborted();
		await once(signal, 'abort');
		throw signal.reason;
	}

	const isRemoved = async () => (await linksOf(path).catch(() => 1)) === 0;
	for (let since: number | undefined; ; await delay(intervalMs, undefined, {signal})) {
		if (!(await isRemoved()) || (await info().then(Boolean, () => false))) {
			since = undefined;
			continue;
		}

		since ??= performance.now();
		if (performance.now() - since >= patienceMs) {
			return;
		}
	}
}
