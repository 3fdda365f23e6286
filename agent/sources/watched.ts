/** What is at work under the eyes of a watch, which may end it. */

interface Watched<Value> {
	work: (signal: AbortSignal) => Promise<Value>;
	/** Resolves soon after its signal, which the end of the work gives, too. What it rejects with ends the work, and is why that failed. */
	watch: (signal: AbortSignal) => Promise<void>;
}

/** Resolves when both have ended. @throws why it was ended from outside, or by the watch; else what the work threw */
export async function watched<Value>(signal: AbortSignal, {work, watch}: Watched<Value>): Promise<Value> {
	const over = new AbortController();
	const refused = new AbortController();
	const watching = watch(AbortSignal.any([signal, over.signal])).catch((error: unknown) => refused.abort(error));
	try {
		const value = await work(AbortSignal.any([signal, refused.signal]));
		over.abort();
		await watching;
		refused.signal.throwIfAborted();
		return value;
	} catch (error) {
		signal.throwIfAborted();
		refused.signal.throwIfAborted();
		throw error;
	} finally {
		over.abort();
		await watching;
	}
}
