/** What must be undone: containers that are quiesced, and what restores have replaced. Part of the state database. */
import * as z from 'zod';
import type {Journal, Undo} from '../../docker/resume.ts';
import {replaced} from '../sources/restoring.ts';
import type {StateDatabase} from './database.ts';
import type {RestoreJournal, RestorePhase, RestoreRecord} from './restores.ts';
import {createUnwritten} from './unwritten.ts';

export function openJournal(database: StateDatabase): Journal {
	const insert = database.prepare('insert into undos (run, undo) values (?, ?)');
	const remove = database.prepare('delete from undos where id = ?');
	const all = database.prepare('select * from undos order by id');
	const cleared = createUnwritten<number, true>(database, id => database.insist(() => remove.run(id)));
	return {
		record: (run, undo) => Number(insert.run(run, JSON.stringify(undo)).lastInsertRowid),
		clear(id) {
			cleared.keep(id, true);
		},
		open() {
			const left = cleared.left();
			return all
				.all()
				.map(({id, run, undo}) => ({id: Number(id), run: String(run), undo: JSON.parse(String(undo)) as Undo}))
				.filter(({id}) => !left.has(id));
		},
	};
}

/** Each with what its kind has written, which is read when it is put back or let go: what one has that cannot be read does not keep the others. */
const replacements = z.array(replaced.loose());

export function openRestores(database: StateDatabase): RestoreJournal {
	const save = database.prepare(
		'insert or replace into restores (run, target, point, phase, replacements, swapped_at, settled_by, kept_in, ran, unjudged) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
	);
	const all = database.prepare('select * from restores order by run');
	const remove = database.prepare('delete from restores where run = ?');
	/**
	 * By run; null is a removal. Whoever settles a restore later must not go by what it was before, as if nothing of it had been put back: the
	 * application has run since.
	 */
	const unwritten = createUnwritten<string, RestoreRecord | null>(database, (run, record) => {
		const write = () => (record === null ? remove.run(run) : save.run(...row(record)));
		// One that has touched nothing may fail. One that has must not be taken after a restart for what it was before.
		return record?.phase === 'loading' ? write() : database.insist(write);
	});

	return {
		saveRestore: record => unwritten.insist(record.run, record),
		restores() {
			const left = unwritten.left();
			const written = all.all().map(row => ({
				run: String(row.run),
				target: String(row.target),
				point: String(row.point),
				phase: row.phase as RestorePhase,
				replacements: replacements.parse(JSON.parse(String(row.replacements))),
				swappedAt: row.swapped_at as number | null,
				settledBy: row.settled_by as string | null,
				keptIn: String(row.kept_in),
				ran: JSON.parse(String(row.ran)) as string[],
				unjudged: JSON.parse(String(row.unjudged)) as string[],
			}));
			return written.flatMap(record => (left.has(record.run) ? (left.get(record.run) ?? []) : record));
		},
		removeRestore: run => unwritten.insist(run, null),
	};
}

const row = ({run, target, point, phase, replacements: all, swappedAt, settledBy, keptIn, ran, unjudged}: RestoreRecord) => [
	...[run, target, point, phase, JSON.stringify(all), swappedAt, settledBy, keptIn],
	...[JSON.stringify(ran), JSON.stringify(unjudged)],
];
