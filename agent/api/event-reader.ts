/** Server-sent events, read so that a dropped connection is not the end of the story. */
import {setTimeout as delay} from 'node:timers/promises';
import {RunError} from '../../base/errors.ts';
import type {RunEvent} from '../../base/events.ts';

export interface EventReaderOptions {
	/** One try. Rejects, or answers 5xx: it is tried again. */
	open: (lastId: string, signal: AbortSignal) => Promise<Response>;
	/** What an answer of 4xx becomes. */
	refusal: (response: Response) => Promise<Error>;
	signal: AbortSignal;
	/** Named in the error. */
	url: string;
	/** How long the agent may be away. */
	goneMs?: number | undefined;
	/** How long a connection may be silent before it counts as dropped; longer than the agent's heartbeat. */
	silenceMs?: number | undefined;
}

/**
 * Yields until the event `finished`.
 * @throws {RunError} when the agent stays away longer than `goneMs`
 */
export async function* readEvents({
	open,
	refusal,
	signal,
	url,
	goneMs = 30_000,
	silenceMs = 40_000,
}: EventReaderOptions): AsyncGenerator<RunEvent> {
	let lastId = '';
	let awaySince: number | undefined;
	let retryMs = 100;
	for (;;) {
		const silence = createWatchdog(Math.min(goneMs, silenceMs));
		let refused: Error | undefined;
		let cause: unknown;
		try {
			const answer = await open(lastId, AbortSignal.any([signal, silence.signal]));
			if (answer.status >= 400 && answer.status < 500) {
				refused = await refusal(answer);
			}

			for await (const chunk of answer.ok ? messages(answer) : []) {
				silence.restart(silenceMs);
				awaySince = undefined;
				retryMs = 100;
				if (chunk.data === undefined) {
					continue;
				}

				lastId = chunk.id ?? lastId;
				const event = JSON.parse(chunk.data) as RunEvent;
				yield event;
				if (event.type === 'finished') {
					return;
				}
			}
		} catch (error) {
			cause = error;
		} finally {
			silence.end();
		}

		signal.throwIfAborted();
		if (refused) {
			throw refused;
		}

		awaySince ??= performance.now();
		if (performance.now() - awaySince + retryMs > goneMs) {
			throw new RunError(`the agent at ${url} has not answered for ${Math.round(goneMs / 1000)} s`, {
				cause,
				hint: 'the run may be going on; look with `holdfast runs` when the agent is back',
			});
		}

		await delay(retryMs, undefined, {signal});
		retryMs = Math.min(retryMs * 2, 2000);
	}
}

/** Aborts the connection when it is not restarted in time. */
function createWatchdog(firstMs: number) {
	const controller = new AbortController();
	const bark = () => controller.abort(new Error('the connection was silent for too long'));
	let timer = setTimeout(bark, firstMs);
	return {
		signal: controller.signal,
		restart(timeMs: number) {
			clearTimeout(timer);
			timer = setTimeout(bark, timeMs);
		},
		/** Also lets go of a connection that is still open. */
		end() {
			clearTimeout(timer);
			controller.abort();
		},
	};
}

/** The blocks of a stream; a comment has no data. What is unfinished at the end is dropped. */
async function* messages(response: Response): AsyncGenerator<{id?: string | undefined; data?: string | undefined}> {
	let rest = '';
	for await (const text of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
		const blocks = (rest + text).split('\n\n');
		rest = blocks.pop() ?? '';
		for (const block of blocks) {
			yield {id: field(block, 'id'), data: field(block, 'data')};
		}
	}
}

const field = (block: string, name: string): string | undefined =>
	block
		.split('\n')
		.find(line => line.startsWith(`${name}: `))
		?.slice(name.length + 2);
