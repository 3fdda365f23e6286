/** What is known from before: repositories, when something was first seen, notes of the bot. Part of the state database. */
import {createHash} from 'node:crypto';
import type {Notes} from '../../base/audit.ts';
import type {StateDatabase} from './database.ts';
import {createUnwritten, overlaid, unlessUnwritable} from './unwritten.ts';

export interface Memory extends Notes {
	/** The id of the repository that was opened at this location before; a location is never stored as it is (it may hold secrets). */
	knownRepository: (location: string) => string | undefined;
	rememberRepository: (location: string, id: string) => void;
	isAppendOnly: (location: string) => boolean;
	/** What was learned of the repository that was opened at this location. */
	rememberAccess: (location: string, access: 'append-only' | 'full') => void;
	/** When a target, or an entry of the schedule, was first seen: so a missed run can be told from a new target. Milliseconds since 1970. */
	firstSeen: (subject: string, now: number) => number;
	/** How new a file is that may have changed while it was read into that snapshot, in milliseconds since 1970; null: none did. Of the newest snapshot of a source only. */
	rememberNewest: (source: SourceOf, snapshot: string, at: number | null) => void;
	/** Undefined: it is not known. */
	newest: (source: SourceOf, snapshot: string) => number | null | undefined;
}

interface SourceOf {
	target: string;
	source: string;
}

export const openMemory = (database: StateDatabase): Memory => ({...openKnown(database), ...openNotes(database)});

function openKnown(database: StateDatabase): Omit<Memory, keyof Notes> {
	const findRepository = database.prepare('select id from repositories where location_sha256 = ?');
	// What was learned of another repository at the same location says nothing of this one.
	const saveRepository = database.prepare(
		'insert into repositories (location_sha256, id) values (?, ?) on conflict (location_sha256) do update set append_only = append_only and id = excluded.id, id = excluded.id',
	);
	const findAppendOnly = database.prepare('select append_only from repositories where location_sha256 = ?');
	const saveAppendOnly = database.prepare('update repositories set append_only = ? where location_sha256 = ?');
	const see = database.prepare('insert or ignore into targets values (?, ?)');
	const seen = database.prepare('select first_seen from targets where target = ?');
	const saveNewest = database.prepare('insert or replace into newest (target, source, snapshot, at) values (?, ?, ?, ?)');
	const findNewest = database.prepare('select at from newest where target = ? and source = ? and snapshot = ?');
	const learned = createUnwritten<string, boolean>(database, (location, isAppendOnly) =>
		saveAppendOnly.run(Number(isAppendOnly), sha256(location)),
	);
	const first = createUnwritten<string, number>(database, (subject, now) => see.run(subject, now));
	const knownRepository = (location: string) => {
		const row = findRepository.get(sha256(location));
		return row && String(row.id);
	};
	const isAppendOnly = (location: string) => learned.left().get(location) ?? findAppendOnly.get(sha256(location))?.append_only === 1;
	const firstSeen = (subject: string) => first.left().get(subject) ?? (seen.get(subject)?.first_seen as number | undefined);
	return {
		knownRepository,
		rememberRepository(location, id) {
			if (knownRepository(location) !== id) {
				saveRepository.run(sha256(location), id);
			}
		},
		isAppendOnly,
		rememberAccess(location, access) {
			const isNow = access === 'append-only';
			if (isAppendOnly(location) !== isNow) {
				learned.keep(location, isNow);
			}
		},
		firstSeen(subject, now) {
			const before = firstSeen(subject);
			if (before === undefined) {
				first.keep(subject, now);
			}

			return before ?? now;
		},
		rememberNewest({target, source}, snapshot, at) {
			// What could not be written is not known the next time.
			unlessUnwritable(() => saveNewest.run(target, source, snapshot, at));
		},
		newest: ({target, source}, snapshot) => findNewest.get(target, source, snapshot)?.at as number | null | undefined,
	};
}

function openNotes(database: StateDatabase): Notes {
	const all = database.prepare('select * from notes');
	const save = database.prepare('insert or replace into notes values (?, ?)');
	const remove = database.prepare('delete from notes where key = ?');
	const unwritten = createUnwritten<string, string | null>(database, (key, note) =>
		note === null ? remove.run(key) : save.run(key, note),
	);
	return {
		notes() {
			const left = unwritten.left();
			return Object.fromEntries(
				overlaid(
					all.all().map(({key, note}) => [String(key), String(note)]),
					left,
				),
			);
		},
		saveNote: unwritten.keep,
	};
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
