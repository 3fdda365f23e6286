/** The two commands that end what a restore left to a person, each with what it is for. */

export const undoOrFinish = (run: string, undo: string, finish: string): string =>
	`${undo}: holdfast restore undo ${run}; ${finish}: holdfast restore finish ${run}`;
