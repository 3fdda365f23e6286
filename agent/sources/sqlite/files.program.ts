/**
 * The program that runs in the worker, not in the agent: it puts one SQLite database in the place of another. Each verb can be done twice.
 *
 *     node files.program.ts place ROOT FILE        → {"file": …}: where the database really is, with its folder
 *     node files.program.ts check FRESH TABLES UNCHECKED  → {}: FRESH is whole
 *     node files.program.ts swap FILE FRESH OLD    → {}: FILE (with its -wal, -shm, -journal) becomes OLD, FRESH becomes FILE
 *     node files.program.ts undo FILE FRESH OLD    → {}: what was FILE is FILE again, and FRESH is gone
 *     node files.program.ts whole FILE FRESH OLD   → {}: FILE is there, or there was none
 *     node files.program.ts remove OLD             → {}
 *     any → {"error": …}
 *
 * The folder is the same for all of them, so that a rename is one step of the file system.
 */
import {chmodSync, existsSync, lstatSync, realpathSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {answer, isInside, makeFolder, nearestFolder, none, own, sync} from '../beside.ts';
import {countTables, examine, type Unchecked} from './soundness.program.ts';

/** SQLite names them after the database. The database itself comes last: while it is not there, nobody can mistake what is half moved. */
const companions = ['-wal', '-shm', '-journal'];

function place(root: string, file: string): {file: string} {
	if (!isInside(nearestFolder(file), root)) {
		throw new Error('is below a link that leads out of its mount');
	}

	makeFolder(dirname(file));
	const resolved = existsSync(file) ? realpathSync(file) : join(realpathSync(dirname(file)), basename(file));
	if (!isInside(resolved, root)) {
		throw new Error('is a link that leads out of its mount');
	}

	if (existsSync(resolved) && !lstatSync(resolved).isFile()) {
		throw new Error('is not a file');
	}

	return {file: resolved};
}

/**
 * `integrity_check` says ok for an empty database, so the tables are counted too. Not read-only: that would leave a `-wal` behind.
 * @param unchecked JSON of what only the application could check when it was stored: it has as many rows now
 */
function check(fresh: string, tables: string, unchecked: string): void {
	const database = new DatabaseSync(fresh);
	const found = examine(database);
	const counted = countTables(database);
	database.close();
	if (String(counted) !== tables) {
		throw new Error(`had ${tables} tables in the point, and ${counted} were restored`);
	}

	const stored = new Map((JSON.parse(unchecked || '[]') as Unchecked[]).map(({table, rows}) => [table, rows]));
	for (const {table, rows} of found) {
		if (stored.has(table) && stored.get(table) !== rows) {
			throw new Error(`had ${stored.get(table)} rows in the table "${table}" in the point, and ${rows} were restored`);
		}
	}
}

/** The owner and mode of the live file; where there is none, those of its folder, without the right to execute. */
function dress(fresh: string, file: string): void {
	const model = statSync(existsSync(file) ? file : dirname(file));
	own(fresh, model);
	chmodSync(fresh, model.mode & 0o666);
	sync(fresh);
}

function swap(file: string, fresh: string, old: string): void {
	dress(fresh, file);
	if (!existsSync(file)) {
		writeFileSync(old + none, '');
	}

	for (const suffix of [...companions, '']) {
		if (existsSync(file + suffix)) {
			renameSync(file + suffix, old + suffix);
		}
	}

	renameSync(fresh, file);
	sync(dirname(file));
}

/**
 * While OLD is there, FILE is not the one that was replaced. So OLD goes back first, and its companions after it: an undo that was
 * killed between the two goes on where it was.
 */
function undo(file: string, fresh: string, old: string): void {
	if (existsSync(old) || existsSync(old + none)) {
		for (const suffix of [...companions, '']) {
			rmSync(file + suffix, {force: true});
		}
	}

	for (const suffix of ['', ...companions]) {
		if (existsSync(old + suffix)) {
			renameSync(old + suffix, file + suffix);
		}
	}

	remove(fresh);
	remove(old);
	if (existsSync(dirname(file))) {
		sync(dirname(file));
	}
}

function whole(file: string, _fresh: string, old: string): void {
	if (existsSync(old) && !existsSync(file)) {
		throw new Error(`is not there, and ${old} is all that is left of it`);
	}
}

function remove(old: string): void {
	for (const suffix of ['', ...companions, none]) {
		rmSync(old + suffix, {force: true});
	}
}

const verbs: Readonly<Record<string, (...paths: [string, string, string]) => unknown>> = {place, check, swap, undo, whole, remove};

const [verb = '', first = '', second = '', third = ''] = process.argv.slice(2);
answer(() => verbs[verb]?.(first, second, third));
