/** Which targets there were, which of them is missed, and what people were told of already. Part of the state database. */
import type {DatabaseSync} from 'node:sqlite';

/** Who is recreated or updated is away for a moment: nobody is told of that. */
export const momentMs = 2 * 60_000;

export interface Watched {
	target: string;
	/** Milliseconds since 1970; null: it is there. */
	goneSince: number | null;
}

export interface Watch {
	/** It is there: it is missed from the moment when it is not. @param at milliseconds since 1970 */
	see: (target: string, at: number) => void;
	/** Since when it is there, but for moments in which it was made anew; undefined: it is not there, or nobody knows any more. */
	hereSince: (target: string) => number | undefined;
	miss: (target: string, since: number) => void;
	watched: () => Watched[];
	/** A person says that it is gone on purpose. False: it was not known. */
	unwatch: (target: string) => boolean;
	/** A backup of it was due, and all that would have to answer was stopped. @param at milliseconds since 1970 */
	rest: (target: string, at: number) => void;
	restedAt: (target: string) => number | undefined;
	/** Remembers what was told of a subject; null: it is over. False: just that was told before. */
	tellOnce: (subject: string, what: string | null) => boolean;
}

export function openWatch(database: DatabaseSync): Watch {
	const see = database.prepare(`
		insert into watched (target, gone_since, here_since) values (:target, null, :at) on conflict (target) do update
		set gone_since = null, here_since = iif(:at - gone_since >= :moment, :at, here_since) where gone_since is not null
	`);
	const here = database.prepare('select here_since from watched where target = ? and gone_since is null');
	const miss = database.prepare('update watched set gone_since = ? where target = ? and gone_since is null');
	const all = database.prepare('select * from watched order by target');
	const remove = database.prepare('delete from watched where target = ?');
	const rest = database.prepare(
		'insert into watched (target, gone_since, rested_at) values (?, null, ?) on conflict (target) do update set rested_at = excluded.rested_at',
	);
	const rested = database.prepare('select rested_at from watched where target = ?');
	const told = database.prepare('select what from told where subject = ?');
	const tell = database.prepare('insert or replace into told (subject, what) values (?, ?)');
	const untell = database.prepare('delete from told where subject = ?');
	return {
		see(target, at) {
			see.run({target, at, moment: momentMs});
		},
		hereSince: target => (here.get(target)?.here_since as number | null | undefined) ?? undefined,
		miss(target, since) {
			miss.run(since, target);
		},
		watched: () => all.all().map(({target, gone_since: since}) => ({target: String(target), goneSince: since as number | null})),
		unwatch: target => Number(remove.run(target).changes) > 0,
		rest(target, at) {
			rest.run(target, at);
		},
		restedAt: target => (rested.get(target)?.rested_at as number | null | undefined) ?? undefined,
		tellOnce(subject, what) {
			const before = told.get(subject)?.what;
			if (what === null) {
				return Number(untell.run(subject).changes) > 0;
			}

			tell.run(subject, what);
			return before !== what;
		},
	};
}
