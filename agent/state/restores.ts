/** The journal of restores: what each made and replaced, and how far it came. On disk before anything is touched. */
import type {Replaced} from '../sources/restoring.ts';

/**
 * Killed while `loading` or `swapping`: it is rolled back. Once `swapped`, what was replaced is kept until somebody decides;
 * then `undoing` and `finishing` go on where they were. `failed`: it could not be put back while the agent lived, and the application was
 * started on what there was. What it has written since would be lost if that were undone some day by itself: so only a person decides.
 */
export type RestorePhase = 'loading' | 'swapping' | 'swapped' | 'undoing' | 'failed' | 'finishing';

export interface RestoreRecord {
	run: string;
	target: string;
	point: string;
	phase: RestorePhase;
	/** In the order in which they were swapped. */
	replacements: readonly Replaced[];
	/** Milliseconds since 1970. */
	swappedAt: number | null;
	/** The run that undoes or finishes it. */
	settledBy: string | null;
	/** Names of the containers that ran when it stopped them: a roll-back and an undo end with all of them running. */
	ran: readonly string[];
	/** Names of the containers that were well before, and of which nobody knows yet whether they are so on what was restored. */
	unjudged: readonly string[];
	/** The repository that holds what was overwritten: `primary`, or a copy's name. */
	keptIn: string;
}

export interface RestoreJournal {
	saveRestore: (record: RestoreRecord) => void;
	/** Oldest first. */
	restores: () => RestoreRecord[];
	/** Everything is undone or let go. */
	removeRestore: (run: string) => void;
}

/** All is replaced and started; but a health check that says no puts it back. */
export const isUnjudged = ({phase, unjudged}: RestoreRecord): boolean => phase === 'swapped' && unjudged.length > 0;

/** The live data may be half replaced. */
export const isHalfDone = ({phase}: RestoreRecord): boolean => phase === 'swapping' || phase === 'undoing';
