/** What was decided of points that are there: taken over, moved. The repository has it too; here it is known without asking. Part of the state database. */
import type {Deed} from '../repository/owner.ts';
import type {StateDatabase} from './database.ts';
import {createUnwritten} from './unwritten.ts';

export interface Deeds {
	/** Oldest first. */
	deeds: () => Deed[];
	/** Those that are known already are left as they are. */
	learnDeeds: (deeds: readonly Deed[]) => void;
}

export function openDeeds(database: StateDatabase): Deeds {
	const all = database.prepare('select * from deeds order by at');
	const learn = database.prepare('insert or ignore into deeds (kind, made_by, what, moved_to, at) values (?, ?, ?, ?, ?)');
	const unwritten = createUnwritten<string, Deed>(database, (_, deed) =>
		learn.run(deed.kind, deed.by, deed.what, deed.kind === 'move' ? deed.to : '', deed.at.getTime()),
	);
	return {
		deeds() {
			const left = [...unwritten.left().values()];
			const written = all.all().map(({kind, made_by: by, what, moved_to: to, at}): Deed => {
				const deed = {by: String(by), what: String(what), at: new Date(Number(at))};
				return kind === 'move' ? {kind, to: String(to), ...deed} : {kind: kind as 'adopt' | 'adopt-host', ...deed};
			});
			return [...written, ...left].toSorted((a, b) => a.at.getTime() - b.at.getTime());
		},
		learnDeeds(deeds) {
			for (const deed of deeds) {
				unwritten.keep(JSON.stringify(deed), deed);
			}
		},
	};
}
