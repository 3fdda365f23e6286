/** Tablespaces are folders of a server: a dump only names them, and a new server has none. */
import type {DatabaseProperties} from './properties.ts';
import {splitStatements} from './roles.ts';
import type {PostgresServer} from './server.ts';
import {quoteIdentifier} from './sql.ts';

const creates = /^CREATE TABLESPACE ("(?:[^"]|"")*"|[a-z_][a-z0-9_$]*) /;

/** As SQL names them. Pure. @param globals as `pg_dumpall --globals-only` writes them */
export const tablespacesOf = (globals: string): string[] =>
	splitStatements(globals).flatMap(statement => creates.exec(statement)?.[1] ?? []);

/** Those that the dumped server had and this one lacks, as SQL names them. */
export async function lackingTablespaces(server: PostgresServer, globals: string): Promise<string[]> {
	const wanted = tablespacesOf(globals);
	if (wanted.length === 0) {
		return [];
	}

	const rows = await server.anywhere('select to_json(spcname) from pg_tablespace');
	const known = new Set(rows.map(([name = '""']) => quoteIdentifier(JSON.parse(name) as string)));
	return wanted.filter(name => !known.has(name.startsWith('"') ? name : quoteIdentifier(name)));
}

/** Without what only a tablespace could hold that is not there. Pure. */
export const outsideTablespaces = (properties: DatabaseProperties, lacking: readonly string[]): DatabaseProperties =>
	lacking.length === 0
		? properties
		: {
				...properties,
				tablespace: lacking.some(name => [name, `"${name}"`].includes(quoteIdentifier(properties.tablespace ?? '')))
					? null
					: properties.tablespace,
				settings: properties.settings.filter(({name}) => name !== 'temp_tablespaces'),
			};
