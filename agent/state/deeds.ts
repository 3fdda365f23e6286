/** What was decided of points that are there: taken over, moved. The repository has it too; here it is known without asking. Part of the state database. */
import type {DatabaseSync} from 'node:sqlite';
import type {Deed} from '../repository/owner.ts';

export interface Deeds {
	/** Oldest first. */
	deeds: () => Deed[];
	/** Those that are known already are left as they are. */
	learnDeeds: (deeds: readonly Deed[]) => void;
}

export function openDeeds(database: DatabaseSync): Deeds {
	const all = database.prepare('select * from deeds order by at');
	const learn = database.prepare('insert or ignore into deeds (kind, made_by, what, moved_to, at) values (?, ?, ?, ?, ?)');
	return {
		deeds: () =>
			all.all().map(({kind, made_by: by, what, moved_to: to, at}) => {
				const deed = {by: String(by), what: String(what), at: new Date(Number(at))};
				return kind === 'move' ? {kind, to: String(to), ...deed} : {kind: kind as 'adopt' | 'adopt-host', ...deed};
			}),
		learnDeeds(deeds) {
			for (const deed of deeds) {
				learn.run(deed.kind, deed.by, deed.what, deed.kind === 'move' ? deed.to : '', deed.at.getTime());
			}
		},
	};
}
