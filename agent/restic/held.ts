/** A backup that waits at the door of the repository (`hold.ts`): whatever it is for, it costs no start when it comes. */
import type {Hold} from './hold.ts';

export interface Held<Value> {
	/** Resolves when it waits, rejects with why it does not. */
	waiting: Promise<void>;
	/** It has ended, whatever it waited for. */
	isOver: () => boolean;
	/** Lets it look at what it stores. */
	go: () => Promise<Value>;
	/** Ends it; one that was not let go yet gives its lock back first. Never rejects. */
	stop: (reason: unknown) => Promise<void>;
}

/**
 * A start takes a second at most, but where somebody else has the repository, or that does not answer: then it has no lock yet, and is killed. Well within
 * what an agent that ends gives its runs to tidy up (`recovery/ending.ts`).
 */
const refusalMs = 4000;

/** @param signal stops it, too @param limitMs shorter in tests */
export function held<Value>(
	begin: (given: {hold: Hold; signal: AbortSignal}) => Promise<Value>,
	signal: AbortSignal,
	limitMs = refusalMs,
): Held<Value> {
	const waits = Promise.withResolvers<void>();
	const door = Promise.withResolvers<void>();
	door.promise.catch(() => {});
	const end = new AbortController();
	if (signal.aborted) {
		end.abort(signal.reason);
	}

	let isLetGo = false;
	const working = begin({hold: {held: waits.resolve, go: door.promise}, signal: end.signal});
	let isOver = false;
	const over = Promise.allSettled([working]).then(() => {
		isOver = true;
	});
	const waiting = Promise.race([waits.promise, working.then(() => {})]);
	waiting.catch(() => {});

	const stop = async (reason: unknown): Promise<void> => {
		if (isLetGo) {
			end.abort(reason);
		}

		door.reject(reason);
		const limit = setTimeout(() => end.abort(reason), limitMs);
		await over;
		clearTimeout(limit);
	};
	const onAbort = (): void => void stop(signal.reason);
	signal.addEventListener('abort', onAbort, {once: true});
	void over.then(() => signal.removeEventListener('abort', onAbort));
	return {
		waiting,
		isOver: () => isOver,
		async go() {
			isLetGo = true;
			door.resolve();
			return working;
		},
		stop,
	};
}
