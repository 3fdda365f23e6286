/** Which targets there were, which of them is missed, and what people were told of already. Part of the state database. */
import type {SQLOutputValue} from 'node:sqlite';
import type {StateDatabase} from './database.ts';
import {createUnwritten} from './unwritten.ts';

/** Who is recreated or updated is away for a moment: nobody is told of that. */
export const momentMs = 2 * 60_000;

export interface Watched {
	target: string;
	/** Milliseconds since 1970; null: it is there. */
	goneSince: number | null;
}

/** Milliseconds since 1970. */
interface Sight {
	/** Null: it is there. */
	goneSince: number | null;
	/** Null: an older Holdfast saw it first. */
	hereSince: number | null;
}

export interface Watch {
	/** It is there: it is missed from the moment when it is not. @param at milliseconds since 1970 */
	see: (target: string, at: number) => void;
	/** Since when it is there, but for moments in which it was made anew; undefined: it is not there, or nobody knows any more. */
	hereSince: (target: string) => number | undefined;
	miss: (target: string, since: number) => void;
	watched: () => Watched[];
	/** What it writes to, as long as it is there. */
	keepStorages: (target: string, storages: readonly string[]) => void;
	/** As it was seen last; empty where nobody has looked. */
	storages: (target: string) => readonly string[];
	/** A person says that it is gone on purpose. False: it was not known. */
	unwatch: (target: string) => boolean;
	/** A backup of it was due, and all that would have to answer was stopped. @param at milliseconds since 1970 */
	rest: (target: string, at: number) => void;
	restedAt: (target: string) => number | undefined;
	/** Remembers what was told of a subject; null: it is over. False: just that was told before. */
	tellOnce: (subject: string, what: string | null) => boolean;
}

export function openWatch(database: StateDatabase): Watch {
	const watch = database.prepare(
		'insert into watched (target, gone_since, here_since) values (?, ?, ?) on conflict (target) do update set gone_since = excluded.gone_since, here_since = excluded.here_since',
	);
	const all = database.prepare('select * from watched order by target');
	const one = database.prepare('select * from watched where target = ?');
	const remove = database.prepare('delete from watched where target = ?');
	const rest = database.prepare(
		'insert into watched (target, gone_since, rested_at) values (?, null, ?) on conflict (target) do update set rested_at = excluded.rested_at',
	);
	const store = database.prepare('update watched set storages = ? where target = ?');
	const stored = database.prepare('select storages from watched where target = ?');
	const rested = database.prepare('select rested_at from watched where target = ?');
	const told = database.prepare('select what from told where subject = ?');
	const tell = database.prepare('insert or replace into told (subject, what) values (?, ?)');
	const untell = database.prepare('delete from told where subject = ?');
	const sights = createUnwritten<string, Sight>(database, (target, {goneSince, hereSince}) => watch.run(target, goneSince, hereSince));
	const rests = createUnwritten<string, number>(database, (target, at) => rest.run(target, at));
	const storages = createUnwritten<string, string>(database, (target, text) => store.run(text, target));
	const storagesText = (target: string) =>
		storages.left().get(target) ?? (stored.get(target)?.storages as string | null | undefined) ?? '[]';
	const tellings = createUnwritten<string, string | null>(database, (subject, what) =>
		what === null ? untell.run(subject) : tell.run(subject, what),
	);
	const find = (target: string): Sight | undefined => {
		const left = sights.left().get(target);
		const row = left === undefined ? one.get(target) : undefined;
		return row === undefined ? left : sightOf(row);
	};
	return {
		see(target, at) {
			const {goneSince, hereSince} = find(target) ?? {goneSince: Number.NEGATIVE_INFINITY, hereSince: null};
			if (goneSince !== null) {
				sights.keep(target, {goneSince: null, hereSince: at - goneSince >= momentMs ? at : hereSince});
			}
		},
		hereSince(target) {
			const sight = find(target);
			return sight?.goneSince === null ? (sight.hereSince ?? undefined) : undefined;
		},
		miss(target, since) {
			const sight = find(target);
			if (sight?.goneSince === null) {
				sights.keep(target, {...sight, goneSince: since});
			}
		},
		watched() {
			const left = sights.left();
			const known = new Map([...all.all().map(row => [String(row.target), sightOf(row)] as const), ...left]);
			return [...known].map(([target, {goneSince}]) => ({target, goneSince}));
		},
		keepStorages(target, now) {
			const text = JSON.stringify(now);
			if (storagesText(target) !== text) {
				storages.keep(target, text);
			}
		},
		storages: target => JSON.parse(storagesText(target)) as string[],
		unwatch(target) {
			const isKnown = find(target) !== undefined;
			remove.run(target);
			sights.forget(target);
			storages.forget(target);
			return isKnown;
		},
		rest: rests.keep,
		restedAt: target => rests.left().get(target) ?? (rested.get(target)?.rested_at as number | null | undefined) ?? undefined,
		tellOnce(subject, what) {
			const left = tellings.left();
			const before = left.has(subject) ? left.get(subject) : ((told.get(subject)?.what as string | undefined) ?? null);
			if (before !== what) {
				tellings.keep(subject, what);
			}

			return before !== what;
		},
	};
}

const sightOf = ({gone_since: goneSince, here_since: hereSince}: Record<string, SQLOutputValue>): Sight => ({
	goneSince: goneSince as number | null,
	hereSince: hereSince as number | null,
});
