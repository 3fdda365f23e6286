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
	/** The run that undoes or finishes it; before it, divided by commas, those that were killed at it and whose journal is still open. */
	settledBy: string | null;
	/** Names of the containers that ran when it stopped them: a roll-back and an undo end with all of them running. */
	ran: readonly string[];
	/** Names of the containers, and of the services of Swarm, that were well before, and of which nobody knows yet whether they are so on what was restored. */
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

type Settled = Pick<RestoreRecord, 'run' | 'settledBy'>;

/** All runs that have, or had, it in hand: what any of them left quiesced is put back with it, and not before. */
export const runsOf = ({run, settledBy}: Settled): string[] => [run, ...(settledBy?.split(',') ?? [])];

export const lastSettler = ({settledBy}: Settled): string | undefined => settledBy?.split(',').at(-1);

/** @param open the runs of what is still to be undone */
export const takenOver = (record: Settled, run: string, open: readonly string[]): string =>
	[...runsOf(record).filter(each => each !== record.run && each !== run && open.includes(each)), run].join(',');

/** All is replaced and started; but a health check that says no puts it back. */
export const isUnjudged = ({phase, unjudged}: RestoreRecord): boolean => phase === 'swapped' && unjudged.length > 0;

/** The live data may be half replaced. */
export const isHalfDone = ({phase}: RestoreRecord): boolean => phase === 'swapping' || phase === 'undoing';
