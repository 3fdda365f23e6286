/**
 * Part of the program that runs in the worker: copies a database together with the journal that a crash has left beside it. Whoever opens the copy
 * rolls back, there, what was cut off.
 */
import {closeSync, copyFileSync, existsSync, fstatSync, ftruncateSync, openSync, readSync, rmSync, statSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';

/** A journal ends with this where its transaction was one over several databases. */
const magic = Buffer.from('d9d505f920a163d7', 'hex');

/** @returns false where somebody opened the database meanwhile: the copy is of no use then */
export function copyWithJournal(file: string, copy: string): boolean {
	const journal = `${file}-journal`;
	const before = stateOf(file, journal);
	for (const ending of ['', '-wal', '-shm', '-journal']) {
		rmSync(copy + ending, {force: true});
	}

	if (before === undefined) {
		return false;
	}

	copyFileSync(file, copy);
	copyFileSync(journal, `${copy}-journal`);
	if (stateOf(file, journal) !== before) {
		return false;
	}

	leaveAlone(`${copy}-journal`, dirname(file));
	return true;
}

/** Who rolls back writes to the database, then removes, empties or overwrites the journal. */
function stateOf(...files: string[]): string | undefined {
	const states = files.map(file => {
		const found = statSync(file, {bigint: true, throwIfNoEntry: false});
		return found && [found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ');
	});
	return states.includes(undefined) ? undefined : states.join('\n');
}

/**
 * A transaction over several databases is undone where the journal that they share is still there; the copy is elsewhere, and SQLite would
 * take it for committed. So the copy forgets that it had company.
 * @throws where it cannot be known whether it was committed
 */
function leaveAlone(journal: string, folder: string): void {
	const descriptor = openSync(journal, 'r+');
	try {
		const {size} = fstatSync(descriptor);
		const end = Buffer.alloc(16);
		if (size < end.length || readSync(descriptor, end, 0, end.length, size - end.length) < end.length || !end.subarray(8).equals(magic)) {
			return;
		}

		const length = end.readUInt32BE(0);
		const name = Buffer.alloc(Math.min(length, size - end.length));
		readSync(descriptor, name, 0, name.length, size - end.length - name.length);
		if (!existsSync(join(folder, basename(name.toString())))) {
			throw new Error(
				'has a journal of a transaction over several databases, left by a crash; whether it was committed is not known here: start the application once',
			);
		}

		// Its length, checksum and magic, its name, and the page number that announces it.
		ftruncateSync(descriptor, size - end.length - name.length - 4);
	} finally {
		closeSync(descriptor);
	}
}
