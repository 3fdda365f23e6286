/**
 * A program that runs in the worker, not in the agent: it pins one SQLite database and copies what it pinned with the online backup
 * API. It is spoken to in lines; each answer is one line of JSON.
 *
 *     node session.program.ts ROOT FILE COPY
 *     → {"found": …}: the file is there, what it takes to copy it, and the room for that
 *     open → {"opened": …} | {"blocked": "…"}: whether it can be read now; nothing is held afterwards
 *     pin → {"pinned": …} | {"blocked": "…"}   store → {"stored": …}   any → {"error": "…"}
 *
 * In WAL mode the pin is a read transaction: the copy made later shows the database as it was then. In the other modes a reader keeps
 * writers out, so the copy is made during the pin, and the database let go before it ends; so it is for an application that wants the
 * database for itself alone.
 *
 * A journal that a crash has left is rolled back in the copy: the original is the application's, and is not written to.
 */
import {closeSync, existsSync, lstatSync, openSync, readSync, realpathSync, statfsSync, statSync} from 'node:fs';
import {dirname} from 'node:path/posix';
import {createInterface} from 'node:readline';
import {backup, DatabaseSync} from 'node:sqlite';
import {isInside} from '../beside.ts';
import {copyWithJournal} from './journal.program.ts';
import {codeOf, countTables, examine, value} from './soundness.program.ts';

/** How long a lock may be held before the pin says so. The app may be paused while it holds one. */
const busyTimeoutMs = 1000;

/** Long enough between two locks of a writer that never rests; the whole copy is made in few steps so that no writer starves it. */
const pagesPerStep = 1_000_000;

const codes = {busy: 5, locked: 6, notDatabase: 26};

/** `SQLITE_READONLY_ROLLBACK`: a journal must be rolled back first, and this connection may not write. */
const hotJournal = 776;

const encrypted = 'is not readable as SQLite: it is encrypted, or no SQLite database';

const [root = '', file = '', copy = ''] = process.argv.slice(2);

const say = (answer: Record<string, unknown>) => process.stdout.write(`${JSON.stringify(answer)}\n`);

/** The file must be there (SQLite would make an empty one) and must not lead out of its mount. */
function locate(): string {
	const resolved = realpathSync(file);
	if (!isInside(resolved, root)) {
		throw new Error('is a link that leads out of its mount');
	}

	if (!lstatSync(resolved).isFile()) {
		throw new Error('is not a file');
	}

	if (statSync(resolved).size === 0) {
		throw new Error('is empty: not one page, and so no database');
	}

	// Read before SQLite has a lock on it: closing any descriptor of a file would let go of that.
	const head = Buffer.alloc(16);
	const descriptor = openSync(resolved, 'r');
	readSync(descriptor, head, 0, head.length, 0);
	closeSync(descriptor);
	if (head.toString('latin1') !== 'SQLite format 3\0') {
		throw new Error(encrypted);
	}

	return resolved;
}

/** What the copy takes at most: what is in the log becomes pages. */
const sizeOf = (path: string): number =>
	['', '-wal'].reduce((bytes, ending) => bytes + (existsSync(path + ending) ? statSync(path + ending).size : 0), 0);

const roomFor = (path: string): number => {
	const {bavail, bsize} = statfsSync(dirname(path));
	return bavail * bsize;
};

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

const isLocked = (error: unknown) => [codes.busy, codes.locked].includes(codeOf(error) ?? 0);

const isHot = (error: unknown) => error instanceof Error && 'errcode' in error && error.errcode === hotJournal;

type Answer = Record<string, unknown>;

/** What can be asked of it, once its file is found. */
function createSession(path: string) {
	let source: DatabaseSync | undefined;
	/** Its application once had it for itself alone, and will want it so again. */
	let wasLocked = false;
	/** In the copy, as it is. */
	let isCopied = false;
	let tables: number | undefined;

	const letGo = () => {
		source?.close();
		source = undefined;
	};

	/** Undefined where it can be read, and then it is being read: nothing that is committed from now on is seen. */
	const read = (): 'hot' | {blocked: string} | undefined => {
		letGo();
		try {
			source = new DatabaseSync(path, {readOnly: true, timeout: busyTimeoutMs});
			source.exec('begin');
			tables = countTables(source);
			return undefined;
		} catch (error) {
			letGo();
			if (isLocked(error)) {
				wasLocked = true;
				return {blocked: messageOf(error)};
			}

			if (isHot(error)) {
				return 'hot';
			}

			throw codeOf(error) === codes.notDatabase ? new Error(encrypted) : error;
		}
	};

	const open = (): Answer => {
		const found = read();
		const opened = {isHot: found === 'hot', ...(source === undefined ? {} : describe(source))};
		letGo();
		return typeof found === 'object' ? found : {opened};
	};

	const pin = async (): Promise<Answer> => {
		const begun = performance.now();
		isCopied = false;
		const found = read();
		if (typeof found === 'object') {
			return found;
		}

		if (found === 'hot') {
			tables = undefined;
			isCopied = true;
			return copyWithJournal(path, copy) ? {pinned: {rolledBack: true, heldMs: 0}} : {blocked: 'its journal is being rolled back'};
		}

		const described = source === undefined ? {} : describe(source);
		if (source === undefined || (described.journalMode === 'wal' && !wasLocked)) {
			return {pinned: {...described, heldMs: 0}};
		}

		await backup(source, copy, {rate: pagesPerStep});
		letGo();
		isCopied = true;
		return {pinned: {...described, heldMs: performance.now() - begun}};
	};

	const store = async (): Promise<Answer> => {
		if (!isCopied && source !== undefined) {
			await backup(source, copy, {rate: pagesPerStep});
		}

		letGo();
		return {stored: check(tables)};
	};

	return {
		open,
		pin: async () => pin().catch(error => (isLocked(error) ? {blocked: messageOf(error)} : Promise.reject(error))),
		store,
	};
}

async function serve(): Promise<void> {
	const path = locate();
	const {open, pin, store} = createSession(path);
	say({found: {bytes: sizeOf(path), freeBytes: roomFor(copy)}});
	for await (const line of createInterface({input: process.stdin})) {
		if (line === 'open') {
			say(open());
		} else if (line === 'pin') {
			say(await pin());
		} else if (line === 'store') {
			say(await store());
			return;
		}
	}
}

const describe = (database: DatabaseSync): Record<string, unknown> => ({
	journalMode: String(value(database, 'pragma journal_mode')),
	pageSize: value(database, 'pragma page_size'),
	sqliteVersion: process.versions.sqlite,
});

/** `integrity_check` says ok for an empty database, so the tables are counted too. */
function check(tables: number | undefined): Record<string, unknown> {
	const database = new DatabaseSync(copy);
	const copied = countTables(database);
	const unchecked = examine(database);
	if (tables !== undefined && copied !== tables) {
		throw new Error(`has ${tables} tables, but its copy has ${copied}`);
	}

	const userVersion = value(database, 'pragma user_version');
	database.close();
	return {tables: copied, userVersion, bytes: statSync(copy).size, ...(unchecked.length === 0 ? {} : {unchecked})};
}

try {
	await serve();
	process.exit(0);
} catch (error) {
	const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
	say({error: isMissing ? 'does not exist' : messageOf(error)});
	process.exit(1);
}
