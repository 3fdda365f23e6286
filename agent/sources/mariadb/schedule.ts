/** What the events of a database need of a server, and which of them are over some day. */
import * as z from 'zod';
import {quoteLiteral} from './client.ts';
import type {MariadbServer} from './server.ts';

type Asked = Pick<MariadbServer, 'query'>;

export const schedule = z.object({
	/** That they are timed in: names, which only a server with tables of time zones knows, or `+02:00`, or `SYSTEM`. */
	timeZones: z.array(z.string()),
	/** Those that a server drops, and makes no more, after a time: in seconds of UNIX. */
	ending: z.array(z.object({name: z.string(), at: z.number()})),
});

export type Schedule = z.infer<typeof schedule>;

export const noEvents: Schedule = {timeZones: [], ending: []};

export async function scheduleOf({query}: Asked, database: string): Promise<Schedule> {
	const rows = await query(
		`select event_name, time_zone, if(on_completion = 'NOT PRESERVE', coalesce(unix_timestamp(convert_tz(coalesce(execute_at, ends), time_zone, @@session.time_zone)), ''), '')
		from information_schema.events where event_schema = ${quoteLiteral(database)} order by 1`,
	);
	return {
		timeZones: [...new Set(rows.flatMap(([, zone]) => zone ?? []))],
		ending: rows.flatMap(([name = '', , at = '']) => (at === '' ? [] : [{name, at: Math.floor(Number(at))}])),
	};
}

/** Those of which the server has no table. */
export async function unknownZones({query}: Asked, zones: readonly string[]): Promise<string[]> {
	const unknown: string[] = [];
	for (const zone of zones) {
		const [[answer] = []] = await query(`select convert_tz('2020-01-01 00:00:00', '+00:00', ${quoteLiteral(zone)}) is null`);
		if (answer === '1') {
			unknown.push(zone);
		}
	}

	return unknown;
}

/** Stand-ins, in a server that is thrown away and runs no event: it only must know the names. */
export async function makeZones({query}: Asked, zones: readonly string[]): Promise<void> {
	for (const zone of await unknownZones({query}, zones)) {
		await query(
			`insert into mysql.time_zone (use_leap_seconds) values ('N');
			insert into mysql.time_zone_name (name, time_zone_id) values (${quoteLiteral(zone)}, last_insert_id());
			insert into mysql.time_zone_transition_type (time_zone_id, transition_type_id, \`offset\`, is_dst, abbreviation) values (last_insert_id(), 0, 0, 0, 'UTC')`,
		);
	}
}

/** An event begins while it is loaded: one that would end within so long may be over by then. */
const slackSeconds = 60;

/** Those whose time was over, so that no server makes them again. */
export async function overBy({query}: Asked, {ending}: Schedule): Promise<string[]> {
	if (ending.length === 0) {
		return [];
	}

	const [[now = '0'] = []] = await query('select unix_timestamp()');
	return ending.filter(({at}) => at <= Number(now) + slackSeconds).map(({name}) => name);
}
