/** Text that does not come back from Unicode as it was: a server converts what it says, and puts `?`, or a character that is like it, where there is no exact counterpart. */
import {quoteIdentifier, quoteLiteral} from './client.ts';
import type {MariadbServer} from './server.ts';

type Asked = Pick<MariadbServer, 'query'>;

/** Of each of these, every value comes back: measured with all of their bytes (MariaDB 11.8). */
const exact = [
	...['utf8', 'utf8mb3', 'utf8mb4', 'ucs2', 'utf16', 'utf16le', 'utf32', 'binary', 'filename'],
	...['latin1', 'latin2', 'latin5', 'latin7', 'cp850', 'cp852', 'cp866', 'koi8r', 'koi8u', 'keybcs2', 'macce', 'macroman'],
];

/** What is in a column of these is ASCII, but where somebody put other bytes there: it is looked at. */
const mostlyExact = 'ascii';

/** A server takes a binary value for these, which are said as text, for something else: `null` without a word. */
const saidAsText = ['uuid', 'inet4', 'inet6'];

interface Column {
	table: string;
	name: string;
	charset: string;
	isEnum: boolean;
}

export interface Encoding {
	/** Every text is dumped as the bytes that it is. */
	asBytes: boolean;
	/** What changes all the same, as `table.column`. */
	changed: string[];
}

export async function encodingOf(server: Asked, database: string): Promise<Encoding> {
	const columns = await inexactColumns(server, database);
	const doubtful = columns.filter(({charset}) => charset !== mostlyExact);
	const others = columns.filter(({charset}) => charset === mostlyExact);
	if (doubtful.length === 0 && (await changedIn(server, database, others)).length === 0) {
		return {asBytes: false, changed: []};
	}

	// What an enumeration may be is said in its table's definition, which is text.
	return (await hasSaidAsText(server, database))
		? {asBytes: false, changed: await changedIn(server, database, columns)}
		: {
				asBytes: true,
				changed: await changedIn(
					server,
					database,
					columns.filter(({isEnum}) => isEnum),
				),
			};
}

const ofTables = (database: string) =>
	`table_schema = ${quoteLiteral(database)} and table_name in (select table_name from information_schema.tables where table_schema = ${quoteLiteral(database)} and table_type in ('BASE TABLE', 'SYSTEM VERSIONED'))`;

const inexactColumns = async ({query}: Asked, database: string): Promise<Column[]> =>
	(
		await query(
			`select table_name, column_name, character_set_name, data_type in ('enum', 'set') from information_schema.columns where ${ofTables(database)}
			and character_set_name not in (${exact.map(quoteLiteral).join(', ')}) and coalesce(generation_expression, '') = '' order by 1, 2`,
		)
	).map(([table = '', name = '', charset = '', isEnum]) => ({table, name, charset, isEnum: isEnum === '1'}));

const hasSaidAsText = async ({query}: Asked, database: string): Promise<boolean> =>
	(
		await query(
			`select 1 from information_schema.columns where ${ofTables(database)} and data_type in (${saidAsText.map(quoteLiteral).join(', ')}) limit 1`,
		)
	).length > 0;

/** Reads whole tables, each once: those with such columns. */
async function changedIn({query}: Asked, database: string, columns: readonly Column[]): Promise<string[]> {
	const changed: string[] = [];
	for (const [table, of] of Map.groupBy(columns, ({table}) => table)) {
		const each = of.map(
			({name, charset}) =>
				`coalesce(max(not (cast(${quoteIdentifier(name)} as binary) <=> cast(convert(convert(${quoteIdentifier(name)} using utf8mb4) using ${charset}) as binary))), 0)`,
		);
		const [row = []] = await query(`select ${each.join(', ')} from ${quoteIdentifier(database)}.${quoteIdentifier(table)}`);
		changed.push(...of.flatMap(({name}, index) => (row[index] === '1' ? `${table}.${name}` : [])));
	}

	return changed;
}

/** `sh -c SCRIPT sh FILE`: a dump's text is Unicode, and its values are numbers, which are bytes whatever text is: what it says of itself in its head must be so. */
export const tellUnicode = `at=$(head -c 8192 -- "$1" | grep --text --byte-offset --only-matching --max-count=1 'SET NAMES binary \\*/') || exit
printf 'SET NAMES utf8mb4*/' | dd of="$1" bs=1 seek="\${at%%:*}" conv=notrunc status=none`;
