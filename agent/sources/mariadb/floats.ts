/** A server writes a `float` with six digits, and there are values that have more: a dump, which is text, has them rounded. */
import {quoteIdentifier, quoteLiteral} from './client.ts';
import type {MariadbServer} from './server.ts';

type Asked = Pick<MariadbServer, 'query'>;

export interface Floats {
	/** Columns with values that a dump rounds, as `table.column`. */
	rounded: string[];
	/** Those of which not all values could be looked at in time. */
	unknown: string[];
}

/** Those with a number of decimals (`float(7,3)`) are written with all of them. */
const columnsSql = (
	database: string,
) => `select c.table_name, c.column_name from information_schema.columns c join information_schema.tables t
	on t.table_schema = c.table_schema and t.table_name = c.table_name and t.table_type in ('BASE TABLE', 'SYSTEM VERSIONED')
	where c.table_schema = ${quoteLiteral(database)} and c.data_type = 'float' and locate('(', c.column_type) = 0 and coalesce(c.generation_expression, '') = '' order by 1, c.ordinal_position`;

const limitMs = 20_000;

/** Looks until it finds one: through all of a table where there is none. */
export async function floatsOf({query}: Asked, database: string, now = Date.now): Promise<Floats> {
	const deadline = now() + limitMs;
	const rows = await query(columnsSql(database));
	const found: Floats = {rounded: [], unknown: []};
	for (const [table = '', column = ''] of rows) {
		const name = `${table}.${column}`;
		const leftMs = deadline - now();
		const isRounded = leftMs > 0 ? await query(roundedSql(database, table, column, leftMs)).catch(() => undefined) : undefined;
		if (isRounded === undefined) {
			found.unknown.push(name);
		} else if (isRounded[0]?.[0] === '1') {
			found.rounded.push(name);
		}
	}

	return found;
}

/** MySQL takes what begins with `M` for a comment, and MariaDB what begins with `+`. Before MariaDB 10.4.5 and MySQL 8.0.17 there is no such `cast`. */
function roundedSql(database: string, table: string, column: string, leftMs: number): string {
	const value = quoteIdentifier(column);
	return `/*M!100100 set statement max_statement_time = ${leftMs / 1000} for */ select /*+ max_execution_time(${Math.ceil(leftMs)}) */ exists(
		select 1 from ${quoteIdentifier(database)}.${quoteIdentifier(table)} where ${value} <> cast(concat(${value}) as float) limit 1)`;
}
