/** A run's events as server-sent events: one is read only when the client has taken the one before, so nothing piles up. */
import type {RunEvent} from '../../base/events.ts';

export interface EventStreamOptions {
	/** Starts to follow the run. */
	follow: (signal: AbortSignal) => AsyncIterable<RunEvent>;
	/** The `Last-Event-ID` of a client that comes back. */
	lastId: string | undefined;
	/** The server closes. */
	closing: AbortSignal;
	heartbeatMs: number;
	report: (error: unknown) => void;
}

/**
 * Ids count the events that are kept; a progress event carries the id of the kept one before it, because an agent
 * need not replay progress and the ids must stay the same when it does not.
 */
export function eventStream({follow, lastId, closing, heartbeatMs, report}: EventStreamOptions): ReadableStream<Uint8Array> {
	const gone = new AbortController();
	const events = follow(AbortSignal.any([gone.signal, closing]))[Symbol.asyncIterator]();
	const encoder = new TextEncoder();
	const seen = Number(lastId) || 0;
	let id = 0;
	let next: Promise<IteratorResult<RunEvent>> | undefined;
	let greeted = false;

	const nextChunk = async (): Promise<string | undefined> => {
		for (;;) {
			next ??= events.next();
			const told = await withinTime(next, heartbeatMs);
			if (told === undefined) {
				return ': still here\n\n';
			}

			next = undefined;
			if (told.done) {
				return undefined;
			}

			id += told.value.type === 'progress' ? 0 : 1;
			if (id > seen || told.value.type === 'finished') {
				return `id: ${id}\ndata: ${JSON.stringify(told.value)}\n\n`;
			}
		}
	};

	return new ReadableStream<Uint8Array>(
		{
			async pull(controller) {
				if (!greeted) {
					greeted = true;
					controller.enqueue(encoder.encode(': following\n\n'));
					return;
				}

				try {
					const chunk = await nextChunk();
					if (chunk === undefined) {
						controller.close();
					} else {
						controller.enqueue(encoder.encode(chunk));
					}
				} catch (error) {
					if (!gone.signal.aborted && !closing.aborted) {
						report(error);
					}

					// The client comes back and says which event it saw last.
					controller.error(error);
				}
			},
			cancel() {
				gone.abort();
				next?.catch(() => {});
				// One that is not waiting would not notice the signal.
				events.return?.().catch(() => {});
			},
		},
		{highWaterMark: 0},
	);
}

/** Undefined when the time is over first; the promise goes on. */
async function withinTime<Value>(promise: Promise<Value>, timeMs: number): Promise<Value | undefined> {
	const {promise: over, resolve} = Promise.withResolvers<undefined>();
	const timer = setTimeout(() => resolve(undefined), timeMs);
	try {
		return await Promise.race([promise, over]);
	} finally {
		clearTimeout(timer);
	}
}
