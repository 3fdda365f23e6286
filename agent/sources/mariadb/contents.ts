/** How much a database has of each kind of thing, counted in the same way when it is dumped and when it is restored. */
import {z} from 'zod';
import {quoteLiteral} from './client.ts';
import type {MariadbServer} from './server.ts';

export const mariadbContents = z.record(z.string(), z.number());

export type MariadbContents = z.infer<typeof mariadbContents>;

const kinds: Readonly<Record<string, {table: string; schema: string; condition?: string}>> = {
	tables: {table: 'tables', schema: 'table_schema', condition: "table_type in ('BASE TABLE', 'SYSTEM VERSIONED')"},
	sequences: {table: 'tables', schema: 'table_schema', condition: "table_type = 'SEQUENCE'"},
	views: {table: 'views', schema: 'table_schema'},
	routines: {table: 'routines', schema: 'routine_schema'},
	triggers: {table: 'triggers', schema: 'trigger_schema'},
	events: {table: 'events', schema: 'event_schema'},
};

export async function countContents({query}: MariadbServer, database: string): Promise<MariadbContents> {
	const counts = Object.entries(kinds).map(
		([kind, {table, schema, condition = 'true'}]) =>
			`select '${kind}', count(*) from information_schema.${table} where ${schema} = ${quoteLiteral(database)} and ${condition}`,
	);
	return Object.fromEntries((await query(counts.join(' union all '))).map(([kind = '', count]) => [kind, Number(count)]));
}

/** What was there at both times: what somebody makes or drops meanwhile may be in a dump or not. */
export const inBoth = (one: MariadbContents, other: MariadbContents): MariadbContents =>
	Object.fromEntries(Object.entries(one).map(([kind, count]) => [kind, Math.min(count, other[kind] ?? 0)]));

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
