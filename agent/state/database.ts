/** The file that holds the state, as SQLite opens it. */
import {randomBytes} from 'node:crypto';
import {existsSync, rmSync, writeFileSync} from 'node:fs';
import {dirname} from 'node:path/posix';
import {DatabaseSync, type StatementResultingChanges, type StatementSync} from 'node:sqlite';
import {RunError} from '../../base/errors.ts';

/** SQLITE_FULL. */
const full = 13;

/** Primary result codes of SQLite that say that what was right could not be written: PERM, BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN. */
const unwritable = new Set([3, 5, 6, 8, 10, full, 14]);

const inMemory = ':memory:';

/** Room for some hundred small changes. */
const reserveBytes = 1024 ** 2;

/** What node:sqlite says of a database that is closed: the agent is about to end, and what goes on meanwhile is in the journal. */
const closed = 'ERR_INVALID_STATE';

/** The state cannot be written now: its disk is full, read-only, or fails. What was asked for was right. */
export class UnwritableError extends RunError {}

class FullError extends UnwritableError {}

/** SQLite alone says `database or disk is full`, and not which. */
export class StateDatabase extends DatabaseSync {
	readonly #path: string;
	readonly #reserve: string;
	readonly #report: (error: UnwritableError) => void;
	readonly #lasts: Array<() => void> = [];
	#isWritable = true;

	/** @param report hears why nothing can be written: once, and again when it could be meanwhile */
	constructor(path: string, report: (error: UnwritableError) => void = () => {}) {
		super(path, {timeout: 5000});
		this.#path = path;
		this.#reserve = `${path}-reserve`;
		this.#report = report;
	}

	/** Room that is given up for what must be known after a restart. @throws {UnwritableError} */
	layAside(): void {
		if (this.#path === inMemory || existsSync(this.#reserve)) {
			return;
		}

		try {
			// No file system makes that smaller, or a hole of it.
			writeFileSync(this.#reserve, randomBytes(reserveBytes), {flush: true});
		} catch (error) {
			rmSync(this.#reserve, {force: true});
			throw this.#unwritable(error, full);
		}
	}

	/** Writes what must be known after a restart: where the disk is full, in the room that was laid aside. @throws {UnwritableError} */
	insist<Value>(write: () => Value): Value {
		try {
			return write();
		} catch (error) {
			if (!(error instanceof FullError) || !existsSync(this.#reserve)) {
				throw error;
			}

			rmSync(this.#reserve, {force: true});
			return write();
		}
	}

	/** @param write the last attempt at what could not be written so far */
	beforeClose(write: () => void): void {
		this.#lasts.push(write);
	}

	override close(): void {
		try {
			for (const write of this.#lasts) {
				write();
			}
		} finally {
			super.close();
		}
	}

	override exec(sql: string): void {
		this.#named(() => super.exec(sql), unwritable);
	}

	override prepare(sql: string): StatementSync {
		const statement = super.prepare(sql);
		for (const verb of ['run', 'get', 'all'] as const) {
			const plain = statement[verb].bind(statement) as (...values: unknown[]) => never;
			// Whoever only looks needs room as well, now and then: for what it sorts.
			const codes = verb === 'run' ? unwritable : new Set([full]);
			statement[verb] = (...values: unknown[]) => {
				const answer = this.#named(() => plain(...values), codes);
				this.#isWritable ||= verb === 'run' && Number((answer as StatementResultingChanges).changes) > 0;
				return answer;
			};
		}

		return statement;
	}

	#named<Value>(work: () => Value, codes: ReadonlySet<number>): Value {
		try {
			return work();
		} catch (error) {
			const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined;
			const isClosed = error instanceof Error && 'code' in error && error.code === closed;
			if (!isClosed && (code === undefined || !codes.has(code))) {
				throw error;
			}

			const named = this.#unwritable(error, code);
			if (this.#isWritable && !isClosed) {
				this.#isWritable = false;
				this.#report(named);
			}

			throw named;
		}
	}

	#unwritable(cause: unknown, code: number | undefined): UnwritableError {
		const folder = dirname(this.#path);
		return code === full
			? new FullError(`\`${this.#path}\` cannot be written: its disk is full`, {hint: `make room on the file system of ${folder}`})
			: new UnwritableError(`\`${this.#path}\` cannot be written`, {
					cause,
					hint: `may the agent write to ${folder}, and is its file system in order?`,
				});
	}
}
