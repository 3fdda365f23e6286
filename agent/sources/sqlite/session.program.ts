/**
 * A program that runs in the worker, not in the agent: it pins one SQLite database and copies what it pinned with the online backup
 * API. It is spoken to in lines; each answer is one line of JSON.
 *
 *     node session.program.ts ROOT FILE COPY
 *     → {"ready": …}   pin → {"pinned": true} | {"blocked": "…"}   store → {"stored": …}   any → {"error": "…"}
 *
 * In WAL mode the pin is a read transaction: the copy made later shows the database as it was then. In the other modes a reader keeps
 * writers out, so the copy is made during the pin.
 */
import {lstatSync, realpathSync, statSync} from 'node:fs';
import {createInterface} from 'node:readline';
import {backup, DatabaseSync} from 'node:sqlite';

/** How long a lock may be held before the pin says so. The app may be paused while it holds one. */
const busyTimeoutMs = 1000;

/** Long enough between two locks of a writer that never rests; the whole copy is made in few steps so that no writer starves it. */
const pagesPerStep = 1_000_000;

const [root = '', file = '', copy = ''] = process.argv.slice(2);

const say = (answer: Record<string, unknown>) => process.stdout.write(`${JSON.stringify(answer)}\n`);

/** The file must be there (SQLite would make an empty one) and must not lead out of its mount. */
function locate(): string {
	const resolved = realpathSync(file);
	if (resolved !== root && !resolved.startsWith(`${root === '/' ? '' : root}/`)) {
		throw new Error('is a link that leads out of its mount');
	}

	if (!lstatSync(resolved).isFile()) {
		throw new Error('is not a file');
	}

	if (statSync(resolved).size === 0) {
		throw new Error('is empty: not one page, and so no database');
	}

	return resolved;
}

const value = (database: DatabaseSync, sql: string) => Object.values(database.prepare(sql).get() ?? {})[0];

const countTables = (database: DatabaseSync) => Number(value(database, "select count(*) from sqlite_schema where type = 'table'"));

/** SQLITE_BUSY and SQLITE_LOCKED with their extended codes. */
const isLocked = (error: unknown) => error instanceof Error && 'errcode' in error && [5, 6].includes(Number(error.errcode) & 0xff);

async function serve(): Promise<void> {
	const source = new DatabaseSync(locate(), {readOnly: true, timeout: busyTimeoutMs});
	const journalMode = String(value(source, 'pragma journal_mode'));
	say({ready: {journalMode, pageSize: value(source, 'pragma page_size'), sqliteVersion: process.versions.sqlite}});
	let tables = 0;
	for await (const line of createInterface({input: process.stdin})) {
		if (line === 'pin') {
			try {
				if (source.isTransaction) {
					source.exec('rollback');
				}

				source.exec('begin');
				tables = countTables(source);
				if (journalMode !== 'wal') {
					await backup(source, copy, {rate: pagesPerStep});
				}

				say({pinned: true});
			} catch (error) {
				if (!isLocked(error)) {
					throw error;
				}

				say({blocked: error instanceof Error ? error.message : String(error)});
			}
		} else if (line === 'store') {
			if (journalMode === 'wal') {
				await backup(source, copy, {rate: pagesPerStep});
			}

			source.close();
			say({stored: check(tables)});
			return;
		}
	}
}

/** `integrity_check` says ok for an empty database, so the tables are counted too. */
function check(tables: number): Record<string, unknown> {
	const database = new DatabaseSync(copy);
	const integrity = database
		.prepare('pragma integrity_check')
		.all()
		.map(row => String(Object.values(row)[0]));
	if (integrity.length !== 1 || integrity[0] !== 'ok') {
		throw new Error(`is damaged, integrity_check says: ${integrity.slice(0, 3).join('; ')}`);
	}

	const copied = countTables(database);
	if (copied !== tables || copied === 0) {
		throw new Error(`has ${tables} tables, but its copy has ${copied}`);
	}

	const userVersion = value(database, 'pragma user_version');
	database.close();
	return {tables, userVersion, bytes: statSync(copy).size};
}

try {
	await serve();
	process.exit(0);
} catch (error) {
	say({
		error:
			error instanceof Error && 'code' in error && error.code === 'ENOENT'
				? 'does not exist'
				: error instanceof Error
					? error.message
					: String(error),
	});
	process.exit(1);
}
