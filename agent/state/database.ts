/** The file that holds the state, as SQLite opens it. */
import {dirname} from 'node:path/posix';
import {DatabaseSync, type StatementSync} from 'node:sqlite';
import {RunError} from '../../base/errors.ts';

/** SQLITE_FULL. */
const full = 13;

/** SQLite alone says `database or disk is full`, and not which. */
export class StateDatabase extends DatabaseSync {
	readonly #path: string;

	constructor(path: string) {
		super(path, {timeout: 5000});
		this.#path = path;
	}

	override exec(sql: string): void {
		this.#named(() => super.exec(sql));
	}

	override prepare(sql: string): StatementSync {
		const statement = super.prepare(sql);
		for (const verb of ['run', 'get', 'all'] as const) {
			const plain = statement[verb].bind(statement) as (...values: unknown[]) => never;
			statement[verb] = (...values: unknown[]) => this.#named(() => plain(...values));
		}

		return statement;
	}

	#named<Value>(work: () => Value): Value {
		try {
			return work();
		} catch (error) {
			const isFull = error instanceof Error && 'errcode' in error && error.errcode === full;
			throw isFull
				? new RunError(`\`${this.#path}\` cannot be written: its disk is full`, {
						hint: `make room on the file system of ${dirname(this.#path)}`,
					})
				: error;
		}
	}
}
