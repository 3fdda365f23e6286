/** The journal of what was done to containers and hooks, so that it is undone whatever dies. Kept by `agent/state.ts`. */

export type Undo =
	| {kind: 'unpause'; containerId: string; containerName: string}
	| {kind: 'start'; containerId: string; containerName: string}
	/** The hook that belongs after the window: it puts back what the one before it did. */
	| {kind: 'hook'; containerId: string; containerName: string; argv: readonly [string, ...string[]]; user?: string | undefined; timeoutMs: number};

export interface Journal {
	/** On disk (fsync) when it returns. Written *before* the container is touched. Gives the entry's id. */
	record: (run: string, undo: Undo) => number;
	/** The undo is done. */
	clear: (id: number) => void;
	/** What is still to be undone, oldest first. */
	open: () => Array<{id: number; run: string; undo: Undo}>;
}
