/** How much a database has of each kind of thing, counted in the same way when it is dumped and when it is restored. */
import * as z from 'zod';
import {quoteLiteral} from './client.ts';
import type {MariadbServer} from './server.ts';

export const mariadbContents = z.record(z.string(), z.number());

export type MariadbContents = z.infer<typeof mariadbContents>;

const kinds: Readonly<Record<string, {table: string; schema: string; name: string; condition?: string}>> = {
	tables: {table: 'tables', schema: 'table_schema', name: 'table_name', condition: "table_type in ('BASE TABLE', 'SYSTEM VERSIONED')"},
	sequences: {table: 'tables', schema: 'table_schema', name: 'table_name', condition: "table_type = 'SEQUENCE'"},
	views: {table: 'views', schema: 'table_schema', name: 'table_name'},
	routines: {table: 'routines', schema: 'routine_schema', name: "concat(routine_type, ' ', routine_name)"},
	triggers: {table: 'triggers', schema: 'trigger_schema', name: 'trigger_name'},
	events: {table: 'events', schema: 'event_schema', name: 'event_name'},
};

/** Names, by kind. */
export type MariadbNames = ReadonlyMap<string, Set<string>>;

export async function listContents({query}: MariadbServer, database: string): Promise<MariadbNames> {
	const each = Object.entries(kinds).map(
		([kind, {table, schema, name, condition = 'true'}]) =>
			`select '${kind}', ${name} from information_schema.${table} where ${schema} = ${quoteLiteral(database)} and ${condition}`,
	);
	const names = new Map(Object.keys(kinds).map(kind => [kind, new Set<string>()]));
	for (const [kind = '', name = ''] of await query(each.join(' union all '))) {
		names.get(kind)?.add(name);
	}

	return names;
}

export const countContents = async (server: MariadbServer, database: string): Promise<MariadbContents> =>
	Object.fromEntries([...(await listContents(server, database))].map(([kind, names]) => [kind, names.size]));

/** What was there at both times: what somebody makes or drops meanwhile may be in a dump or not. */
export const inBoth = (one: MariadbNames, other: MariadbNames): MariadbContents =>
	Object.fromEntries([...one].map(([kind, names]) => [kind, [...names].filter(name => other.get(kind)?.has(name)).length]));

/** @returns a line for each kind of which there is too little */
export const missingContents = (had: MariadbContents, found: MariadbContents): string[] =>
	Object.entries(had).flatMap(([kind, count]) =>
		(found[kind] ?? 0) < count ? [`the database had ${count} ${kind}, and ${found[kind] ?? 0} are there after loading`] : [],
	);

/** For people: `12 tables, 1 view`. */
export const describeContents = (contents: MariadbContents): string =>
	Object.entries(contents)
		.filter(([kind, count]) => count > 0 || kind === 'tables')
		.map(([kind, count]) => `${count} ${count === 1 ? kind.slice(0, -1) : kind}`)
		.join(', ');
