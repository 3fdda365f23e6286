/**
 * How much a database has of each kind of thing, counted in the same way when it is dumped and when it is restored: what a dump left out, or
 * a restore, is missing then. What belongs to the server or to an extension does not count.
 */
import * as z from 'zod';

const isOwn = (catalog: string, schema: string) => `join pg_namespace n on n.oid = ${schema}
	where nspname <> 'information_schema' and nspname !~ '^pg_'
	and not exists (select from pg_depend where classid = '${catalog}'::regclass and objid = c.oid and deptype = 'e')`;

const relations = (condition: string) => `from pg_class c ${isOwn('pg_class', 'relnamespace')} and relpersistence <> 't' and ${condition}`;

/** Of a partitioned table only what it does not hand down; some versions lack the column. */
const isTop = (column: string) => `coalesce(to_jsonb(t)->>'${column}', '0') = '0'`;

interface Kind {
	/** What follows `select count(*)`. */
	sql: string;
	/** What a table of contents calls the entries that make it. */
	entries: readonly string[];
}

const indexes = `from pg_index t join pg_class c on c.oid = indrelid ${isOwn('pg_class', 'relnamespace')} and relpersistence <> 't' and (indisvalid or relkind = 'p')`;

/** From 18 on a `not null … not valid` is an entry of its own, called as those are that make an index. */
const unprovenNotNull = `from pg_constraint t join pg_class c on c.oid = conrelid ${isOwn('pg_class', 'relnamespace')} and contype = 'n' and not convalidated`;

const kinds: Readonly<Record<string, Kind>> = {
	tables: {sql: relations("relkind in ('r', 'p')"), entries: ['TABLE']},
	'foreign tables': {sql: relations("relkind = 'f'"), entries: ['FOREIGN TABLE']},
	views: {sql: relations("relkind = 'v'"), entries: ['VIEW']},
	'materialized views': {sql: relations("relkind = 'm'"), entries: ['MATERIALIZED VIEW']},
	sequences: {sql: relations("relkind = 'S'"), entries: ['SEQUENCE']},
	// pg_dump leaves out those that could not be made whole. Those of an extension's table are no members of it themselves.
	indexes: {
		sql: `from (select ${indexes} union all select ${unprovenNotNull}) i`,
		entries: ['INDEX', 'CONSTRAINT'],
	},
	functions: {sql: `from pg_proc c ${isOwn('pg_proc', 'pronamespace')}`, entries: ['FUNCTION', 'PROCEDURE', 'AGGREGATE']},
	triggers: {
		sql: `from pg_trigger t join pg_class c on c.oid = tgrelid ${isOwn('pg_class', 'relnamespace')} and not tgisinternal and ${isTop('tgparentid')}`,
		entries: ['TRIGGER'],
	},
	'foreign keys': {
		sql: `from pg_constraint t join pg_class c on c.oid = conrelid ${isOwn('pg_class', 'relnamespace')} and contype = 'f' and ${isTop('conparentid')}`,
		entries: ['FK CONSTRAINT'],
	},
	'large objects': {sql: 'from pg_largeobject_metadata', entries: []},
};

/** By kind. What is absent was not counted. */
export const postgresContents = z.record(z.string(), z.number());

export type PostgresContents = z.infer<typeof postgresContents>;

/** One row, one column, one line: JSON. */
export const contentsSql = `select json_build_object(${Object.entries(kinds)
	.map(([kind, {sql}]) => `'${kind}', (select count(*) ${sql})`)
	.join(', ')})`.replaceAll(/\s+/g, ' ');

/** An entry of `pg_restore --list` that makes something: what only belongs to another entry has no catalog. */
const entryLine = /^\d+; [1-9]\d* \d+ (.*)$/;

/** What a table of contents promises. */
export function createTally() {
	const found: Record<string, number> = {};
	const byName = Object.entries(kinds).flatMap(([kind, {entries}]) => entries.map(entry => ({kind, start: `${entry} `})));
	return {
		add(line: string): void {
			const [, entry] = entryLine.exec(line) ?? [];
			const kind = entry && byName.find(({start}) => entry.startsWith(start))?.kind;
			if (kind) {
				found[kind] = (found[kind] ?? 0) + 1;
			}
		},
		contents: (): PostgresContents => found,
	};
}

/** What is missing, for people. More than was promised is no harm: SQL of the labels may make things. */
export const missingContents = (promised: PostgresContents, found: PostgresContents, promiser: string): string[] =>
	Object.entries(promised)
		.filter(([kind, count]) => (found[kind] ?? 0) < count)
		.map(([kind, count]) => `${promiser} ${count} ${kind}, and ${found[kind] ?? 0} were restored`);

/** `12 tables, 3 sequences` */
export const describeContents = (contents: PostgresContents): string =>
	Object.entries(contents)
		.filter(([, count]) => count > 0)
		.map(([kind, count]) => `${count} ${kind}`)
		.join(', ') || 'nothing in it';
