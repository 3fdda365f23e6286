/** Tables of one database take the place of another's: all renames in one statement, so that nobody ever sees half of it. */
import {RunError} from '../../../base/errors.ts';
import {quoteIdentifier, quoteLiteral} from './client.ts';
import {dropCode} from './code.ts';
import type {MariadbServer} from './server.ts';

export const databaseExists = async ({query}: MariadbServer, database: string): Promise<boolean> =>
	(await query(`select 1 from information_schema.schemata where schema_name = ${quoteLiteral(database)}`)).length > 0;

export interface DatabaseDefaults {
	charset: string;
	collation: string;
}

/** Undefined: there is no such database. */
export async function defaultsOf({query}: MariadbServer, database: string): Promise<DatabaseDefaults | undefined> {
	const [row] = await query(
		`select default_character_set_name, default_collation_name from information_schema.schemata where schema_name = ${quoteLiteral(database)}`,
	);
	return row && {charset: row[0] ?? '', collation: row[1] ?? ''};
}

/** Names of character sets are words; one that is none is no character set. */
const word = (name: string): string => {
	if (!/^\w+$/.test(name)) {
		throw new RunError(`\`${name}\` is no character set`);
	}

	return name;
};

const defaultsSql = ({charset, collation}: DatabaseDefaults): string => `character set ${word(charset)} collate ${word(collation)}`;

export const createDatabase = async ({query}: MariadbServer, database: string, defaults: DatabaseDefaults): Promise<unknown> =>
	query(`create database ${quoteIdentifier(database)} ${defaultsSql(defaults)}`);

export const setDefaults = async ({query}: MariadbServer, database: string, defaults: DatabaseDefaults): Promise<unknown> =>
	query(`alter database ${quoteIdentifier(database)} ${defaultsSql(defaults)}`);

export const dropDatabase = async ({query}: MariadbServer, database: string): Promise<unknown> =>
	query(`drop database if exists ${quoteIdentifier(database)}`);

/** Tables, sequences among them; not views. */
export const tablesOf = async ({query}: MariadbServer, database: string): Promise<string[]> =>
	(
		await query(
			`select table_name from information_schema.tables where table_schema = ${quoteLiteral(database)} and table_type not in ('VIEW', 'SYSTEM VIEW') order by 1`,
		)
	).flatMap(([name]) => name ?? []);

export interface Move {
	from: string;
	to: string;
	tables: readonly string[];
}

/** In this order, and in one statement. Foreign keys among the tables of a move go with them. */
export async function moveTables({query}: MariadbServer, moves: readonly Move[]): Promise<void> {
	const renames = moves.flatMap(({from, to, tables}) =>
		tables.map(table => `${quoteIdentifier(from)}.${quoteIdentifier(table)} to ${quoteIdentifier(to)}.${quoteIdentifier(table)}`),
	);
	if (renames.length > 0) {
		await query(`rename table ${renames.join(', ')}`);
	}
}

/**
 * The tables that were in `live` before a swap are there again, however far that came, and those that took their place are in `fresh`.
 *
 * @param restored how many tables were to take their place
 */
export async function moveBack(
	server: MariadbServer,
	{live, fresh, aside, restored}: {live: string; fresh: string; aside: string; restored: number},
): Promise<void> {
	const defaults = await defaultsOf(server, aside);
	if (defaults === undefined) {
		return;
	}

	const before = await tablesOf(server, aside);
	const waiting = await tablesOf(server, fresh);
	// The statement moves all of the old ones first: while none of the new ones has moved, what is in `live` is old.
	const present = await tablesOf(server, live);
	// Where the point had no tables, what has the name of an old one that was moved is the application's, made since.
	const taken = waiting.length < restored ? present : present.filter(table => before.includes(table));
	if (taken.length > 0) {
		await dropCode(server, live, ['events', 'triggers', 'views']);
		if (!(await databaseExists(server, fresh))) {
			await createDatabase(server, fresh, defaults);
		}
	}

	await moveTables(server, [
		{from: live, to: fresh, tables: taken},
		{from: aside, to: live, tables: before},
	]);
	const left = await tablesOf(server, aside);
	if (left.length > 0) {
		throw new RunError(`database \`${aside}\` still has ${left.length} tables, which belong into \`${live}\``);
	}

	await dropDatabase(server, aside);
}
