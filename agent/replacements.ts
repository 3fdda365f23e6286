/** The journal of restores: what each made and replaced, and how far it came. On disk before anything is touched. */
import type {DatabaseSync} from 'node:sqlite';
import type {Replacement} from './sources/restoring.ts';

/**
 * Killed while `loading` or `swapping`: it is rolled back. Once `swapped`, what was replaced is kept until somebody decides;
 * then `undoing` and `finishing` go on where they were.
 */
export type RestorePhase = 'loading' | 'swapping' | 'swapped' | 'undoing' | 'finishing';

export interface RestoreRecord {
	run: string;
	target: string;
	point: string;
	phase: RestorePhase;
	/** In the order in which they were swapped. */
	replacements: readonly Replacement[];
	/** Milliseconds since 1970. */
	swappedAt: number | null;
	/** The run that undoes or finishes it. */
	settledBy: string | null;
}

export interface RestoreJournal {
	saveRestore: (record: RestoreRecord) => void;
	/** Oldest first. */
	restores: () => RestoreRecord[];
	/** Everything is undone or let go. */
	removeRestore: (run: string) => void;
}

/** @param database that of the state */
export function openRestores(database: Pick<DatabaseSync, 'prepare'>): RestoreJournal {
	const save = database.prepare('insert or replace into restores values (?, ?, ?, ?, ?, ?, ?)');
	const all = database.prepare('select * from restores order by run');
	const remove = database.prepare('delete from restores where run = ?');
	return {
		saveRestore({run, target, point, phase, replacements, swappedAt, settledBy}) {
			save.run(run, target, point, phase, JSON.stringify(replacements), swappedAt, settledBy);
		},
		restores: () =>
			all.all().map(row => ({
				run: String(row.run),
				target: String(row.target),
				point: String(row.point),
				phase: row.phase as RestorePhase,
				replacements: JSON.parse(String(row.replacements)) as Replacement[],
				swappedAt: row.swapped_at as number | null,
				settledBy: row.settled_by as string | null,
			})),
		removeRestore(run) {
			remove.run(run);
		},
	};
}
