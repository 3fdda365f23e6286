/**
 * Memory that a run has used and nothing holds any more. V8 tidies by itself when it needs room, which an agent that waits for the night does not: it
 * would keep a tenth of its size until then.
 */
import type {EventHub} from './events.ts';

/** What a run leaves to do is done by then, and who follows it has heard its end. */
const quietMs = 20_000;

/** The ordinary kind frees what is in the heap, and keeps its pages. Missing where Node was not started with `--expose-gc`, as from the sources. */
const collectAll = (): unknown => globalThis.gc?.({type: 'major', execution: 'sync', flavor: 'last-resort'});

interface TidyOptions {
	/** Shorter in tests. */
	afterMs?: number;
	collect?: () => unknown;
}

/** Tidies once when nothing was told of any run for a while, also after the start. @returns ends that */
export function tidyWhenQuiet(hub: Pick<EventHub, 'listen'>, {afterMs = quietMs, collect = collectAll}: TidyOptions = {}): () => void {
	const timer = setTimeout(collect, afterMs);
	timer.unref();
	const unlisten = hub.listen(() => void timer.refresh());
	return () => {
		unlisten();
		clearTimeout(timer);
	};
}
