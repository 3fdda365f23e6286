/** What must be undone: containers that are quiesced, and what restores have replaced. Part of the state database. */
import type {DatabaseSync} from 'node:sqlite';
import * as z from 'zod';
import type {Journal, Undo} from '../../docker/resume.ts';
import {replaced} from '../sources/restoring.ts';
import type {RestoreJournal, RestorePhase} from './restores.ts';

export function openJournal(database: DatabaseSync): Journal {
	const insert = database.prepare('insert into undos (run, undo) values (?, ?)');
	const remove = database.prepare('delete from undos where id = ?');
	const all = database.prepare('select * from undos order by id');
	return {
		record: (run, undo) => Number(insert.run(run, JSON.stringify(undo)).lastInsertRowid),
		clear(id) {
			remove.run(id);
		},
		open: () => all.all().map(({id, run, undo}) => ({id: Number(id), run: String(run), undo: JSON.parse(String(undo)) as Undo})),
	};
}

/** Each with what its kind has written, which is read when it is put back or let go: what one has that cannot be read does not keep the others. */
const replacements = z.array(replaced.loose());

export function openRestores(database: DatabaseSync): RestoreJournal {
	const save = database.prepare(
		'insert or replace into restores (run, target, point, phase, replacements, swapped_at, settled_by, kept_in, ran, unjudged) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
	);
	const all = database.prepare('select * from restores order by run');
	const remove = database.prepare('delete from restores where run = ?');
	return {
		saveRestore({run, target, point, phase, replacements, swappedAt, settledBy, keptIn, ran, unjudged}) {
			save.run(
				...[run, target, point, phase, JSON.stringify(replacements), swappedAt, settledBy, keptIn],
				...[JSON.stringify(ran), JSON.stringify(unjudged)],
			);
		},
		restores: () =>
			all.all().map(row => ({
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
			})),
		removeRestore(run) {
			remove.run(run);
		},
	};
}
