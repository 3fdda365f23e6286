/** A backup that waits at the door of the repository (`hold.ts`): whatever it is for, it costs no start when it comes. */
import type {Hold} from './hold.ts';

export interface Held<Value> {
	/** Resolves when it waits, rejects with why it does not. */
	waiting: Promise<void>;
	/** Lets it look at what it stores. */
	go: () => Promise<Value>;
	/** Ends it; one that waits gives its lock back first. Never rejects. */
	stop: (reason: unknown) => Promise<void>;
}

/** @param signal stops it, too */
export function held<Value>(begin: (given: {hold: Hold; signal: AbortSignal}) => Promise<Value>, signal: AbortSignal): Held<Value> {
	const waits = Promise.withResolvers<void>();
	const door = Promise.withResolvers<void>();
	door.promise.catch(() => {});
	const end = new AbortController();
	if (signal.aborted) {
		end.abort(signal.reason);
	}

	let isWaiting = false;
	const onHeld = (): void => {
		isWaiting = true;
		waits.resolve();
	};
	const working = begin({hold: {held: onHeld, go: door.promise}, signal: end.signal});
	const over = Promise.allSettled([working]);
	const waiting = Promise.race([waits.promise, working.then(() => {})]);
	waiting.catch(() => {});

	const stop = async (reason: unknown): Promise<void> => {
		if (isWaiting) {
			door.reject(reason);
		} else {
			end.abort(reason);
		}

		await over;
	};
	const onAbort = (): void => void stop(signal.reason);
	signal.addEventListener('abort', onAbort, {once: true});
	void over.then(() => signal.removeEventListener('abort', onAbort));
	return {
		waiting,
		async go() {
			isWaiting = false;
			door.resolve();
			return working;
		},
		stop,
	};
}
