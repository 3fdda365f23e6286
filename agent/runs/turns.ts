/** Turns: a few at once, in the order of asking. An exclusive one waits until no other is left and keeps the later ones waiting. */
import PQueue from 'p-queue';

export interface Turns {
	/** Waits for a turn; gives what ends it. @throws the signal's reason, when it fires before the turn came */
	take: (options: {exclusive: boolean; signal: AbortSignal}) => Promise<() => void>;
}

export function createTurns(concurrency: number): Turns {
	const queue = new PQueue({concurrency});

	/** A place in the queue that is held until `over`. */
	const place = async (over: Promise<void>, signal: AbortSignal): Promise<void> => {
		const {promise, resolve, reject} = Promise.withResolvers<void>();
		const held = async () => {
			resolve();
			await over;
		};
		queue.add(held, {signal}).catch(reject);
		await promise;
	};

	return {
		async take({exclusive, signal}) {
			// The queue heeds its signal while a place is held, too. A turn that came ends only by itself.
			const waiting = new AbortController();
			const giveUp = () => waiting.abort(signal.reason);
			const {promise: over, resolve: end} = Promise.withResolvers<void>();
			signal.throwIfAborted();
			signal.addEventListener('abort', giveUp, {once: true});
			try {
				// All places, asked for at once: nobody can come in between, and nobody who asked before is passed.
				await Promise.all(Array.from({length: exclusive ? concurrency : 1}, async () => place(over, waiting.signal)));
				waiting.signal.throwIfAborted();
				return end;
			} catch (error) {
				end();
				throw error;
			} finally {
				signal.removeEventListener('abort', giveUp);
			}
		},
	};
}
