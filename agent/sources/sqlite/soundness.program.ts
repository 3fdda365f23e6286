/**
 * Part of the programs that run in the worker: whether a copy of a SQLite database is whole.
 *
 * `integrity_check` needs everything that the application brings to its database: collations, functions, tokenizers, modules. Without them
 * it refuses to begin. Then the structure is checked under a schema that needs nothing (within a transaction that is rolled back), every
 * table that can be checked in full is, and of the others the rows are counted.
 */
import type {DatabaseSync} from 'node:sqlite';

/** What of a database only its application could check in full. */
export interface Unchecked {
	/** The table. */
	table: string;
	/** In SQLite's words: `no such collation sequence: NOCASE_UTF8`. */
	why: string;
	/** Missing where a table keeps its rows in others, which are checked: a virtual one. */
	rows?: number;
}

interface Entry {
	type: string;
	name: string;
	table: string;
	/** 0: it has no pages of its own. */
	root: number;
}

export const value = (database: DatabaseSync, sql: string) => Object.values(database.prepare(sql).get() ?? {})[0];

export const countTables = (database: DatabaseSync) => Number(value(database, "select count(*) from sqlite_schema where type = 'table'"));

/** The basic code of an error of SQLite, without what extends it. */
export const codeOf = (error: unknown): number | undefined =>
	error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined;

const sqliteError = 1;

/** Not with the order of a table without rowids: the schema that needs nothing does not know it. */
const unknownOrder = /^row not in PRIMARY KEY order for /;

/**
 * @param database of which this is the only user. It is written to, and afterwards it is as it was.
 * @returns what could not be checked in full: nothing, as a rule
 * @throws with what is damaged
 */
export function examine(database: DatabaseSync): Unchecked[] {
	const indexes: Unchecked[] = [];
	if (whyUnchecked(database, 'pragma integrity_check', indexes) === undefined) {
		return indexes;
	}

	database.enableDefensive(false);
	const entries = entriesOf(database);
	const unchecked = entries
		.filter(({type}) => type === 'table')
		.flatMap(({name}) => {
			const own: Unchecked[] = [];
			const why = whyUnchecked(database, `pragma integrity_check(${quoted(name)})`, own);
			return why === undefined ? own : [{table: name, why}];
		});
	const rows = checkStructure(
		database,
		entries,
		unchecked.map(({table}) => table),
	);
	return unchecked.map(each => {
		const counted = rows.get(each.table);
		return counted === undefined ? each : {...each, rows: counted};
	});
}

/**
 * What SQLite says of a full-text index that it cannot read the texts of (a contentless one), or that does not fit its texts any more, which the application
 * keeps in another table: all pages are as they were written, and an index can be made anew.
 */
const ofIndex = /^(?:unable to validate the|malformed) inverted index for FTS\d table [^.]+\.(?<table>.*?)(?:: .*)?$/s;

/**
 * Why the check cannot be made; undefined when it was made, and found nothing.
 *
 * @param indexes of full-text indexes that do not fit, or cannot be known to
 * @throws with what is damaged
 */
function whyUnchecked(database: DatabaseSync, sql: string, indexes: Unchecked[]): string | undefined {
	try {
		const messages = messagesOf(database, sql);
		const damage = messages.filter(message => !ofIndex.test(message));
		assertOk(damage.length === 0 ? ['ok'] : damage);
		indexes.push(
			...messages.flatMap(why => {
				const table = ofIndex.exec(why)?.groups?.table;
				return table === undefined ? [] : [{table, why}];
			}),
		);
		return undefined;
	} catch (error) {
		if (codeOf(error) === sqliteError) {
			return (error as Error).message;
		}

		throw error;
	}
}

const messagesOf = (database: DatabaseSync, sql: string): string[] =>
	database
		.prepare(sql)
		.all()
		.map(row => String(Object.values(row)[0]));

function assertOk(messages: readonly string[]): void {
	if (messages.length !== 1 || messages[0] !== 'ok') {
		throw new Error(`is damaged, integrity_check says: ${messages.slice(0, 3).join('; ')}`);
	}
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const entriesOf = (database: DatabaseSync): Entry[] =>
	database.prepare('select type, name, tbl_name as "table", coalesce(rootpage, 0) as root from sqlite_schema').all() as unknown as Entry[];

/** Every page and every tree, whatever is in them. @returns how many rows those tables have */
function checkStructure(database: DatabaseSync, entries: readonly Entry[], counted: readonly string[]): Map<string, number> {
	const plain = plainSchema(database, entries);
	database.exec('begin; pragma writable_schema = on; delete from sqlite_schema where coalesce(rootpage, 0) = 0');
	try {
		const change = database.prepare('update sqlite_schema set name = ?, tbl_name = ?, sql = ? where rootpage = ?');
		for (const {name, table, sql, root} of plain.values()) {
			change.run(name, table, sql, root);
		}

		database.exec('pragma writable_schema = reset');
		const messages = messagesOf(database, 'pragma quick_check').filter(message => !unknownOrder.test(message));
		assertOk(messages.length === 0 ? ['ok'] : messages);
		return new Map(
			counted.flatMap(table => {
				const found = plain.get(table);
				return found === undefined ? [] : [[table, Number(value(database, `select count(*) from ${found.name} not indexed`))]];
			}),
		);
	} finally {
		database.exec('rollback; pragma writable_schema = reset');
	}
}

interface Plain extends Pick<Entry, 'name' | 'table' | 'root'> {
	sql: string;
}

/** The same trees under a schema that needs nothing: tables of as many columns, and indexes on nothing. By their names now; SQLite's own tables stay. */
function plainSchema(database: DatabaseSync, entries: readonly Entry[]): Map<string, Plain> {
	const withoutRowid = new Set(messagesOf(database, `select name from pragma_table_list where schema = 'main' and wr`));
	const columns = database.prepare('select count(*) as n from pragma_table_xinfo(?) where hidden <> 2');
	const numbered = entries.map((entry, index) => ({...entry, plain: entry.name.startsWith('sqlite_') ? entry.name : `holdfast_${index}`}));
	const plainOf = new Map(numbered.filter(({type}) => type === 'table').map(({name, plain}) => [name, plain]));
	return new Map(
		numbered
			.filter(({root, type, name}) => root !== 0 && !(type === 'table' && name.startsWith('sqlite_')))
			.map(({type, name, table, root, plain}, index) => {
				const owner = plainOf.get(table) ?? table;
				if (type !== 'table') {
					const index_ = `holdfast_index_${index}`;
					return [`${type} ${name}`, {name: index_, table: owner, root, sql: `create index ${index_} on ${owner}(1)`}];
				}

				const list = Array.from({length: Number(columns.get(name)?.n)}, (_, column) => `c${column}`).join(', ');
				const sql = `create table ${plain}(${withoutRowid.has(name) ? `${list}, primary key(c0)) without rowid` : `${list})`}`;
				return [name, {name: plain, table: plain, root, sql}];
			}),
	);
}
