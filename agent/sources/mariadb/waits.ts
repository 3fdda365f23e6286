/**
 * What a dump waits for in the server: seen by another session, because its programs can be told no limit, and a server lets a session wait for a
 * day (`lock_wait_timeout`). So the wait has an end, and who is in the way is said.
 */
import {setTimeout as delay} from 'node:timers/promises';
import {explain, RunError} from '../../../base/errors.ts';
import {label} from '../../../base/label.ts';
import {printable} from '../../../base/printable.ts';
import {watched} from '../watched.ts';
import {quoteLiteral, ServerRefusal} from './client.ts';

interface Asked {
	query: (sql: string, database?: string) => Promise<string[][]>;
}

/** A session of the server. */
export interface Holder {
	id: string;
	user: string;
	host: string;
	/** `Sleep`: it says nothing. */
	command: string;
	/** For so long it has done that. */
	seconds: string;
	/** What it runs. */
	statement: string;
	/** When its transaction began. */
	since: string;
}

export interface Holders {
	/** `false`: the server does not say who has locks; these are there, the likeliest first. */
	isSure: boolean;
	holders: Holder[];
	/** Why not all of them can be seen. */
	unseen?: string;
}

const columns = "p.id, p.user, p.host, p.command, p.time, left(coalesce(p.info, ''), 200)";

/** Not those that the server itself, or a replica, has. */
const ofPeople = "p.id <> connection_id() and p.user not in ('system user', 'event_scheduler') and p.command not like 'Binlog Dump%'";

const shown = 5;

/** @param own the session that waits */
const waysToAsk = (database: string, own: string): ReadonlyArray<{isSure: boolean; sql: string}> => {
	const schema = quoteLiteral(database);
	const others = `${ofPeople} and p.id <> ${own}`;
	return [
		{
			// https://mariadb.com/kb/en/metadata-lock-info-plugin/
			isSure: true,
			sql: `select distinct ${columns}, '' from information_schema.metadata_lock_info m join information_schema.processlist p on p.id = m.thread_id
				where ${others} and m.table_schema in (${schema}, '') limit ${shown}`,
		},
		{
			// Of MySQL, and where MariaDB's performance schema is on.
			isSure: true,
			sql: `select distinct ${columns}, '' from performance_schema.metadata_locks m join performance_schema.threads t on t.thread_id = m.owner_thread_id
				join information_schema.processlist p on p.id = t.processlist_id
				where ${others} and m.lock_status = 'GRANTED' and (m.object_schema = ${schema} or m.object_type in ('GLOBAL', 'BACKUP LOCK')) limit ${shown}`,
		},
		{
			isSure: false,
			sql: `select ${columns}, coalesce(x.trx_started, '') from information_schema.processlist p left join information_schema.innodb_trx x on x.trx_mysql_thread_id = p.id
				where ${others} order by p.info regexp '^(alter|lock|flush|optimize|truncate|rename|drop|create|analyze|repair|check)' desc,
				x.trx_started is not null desc, p.db <=> ${schema} desc, p.time desc limit ${shown}`,
		},
	];
};

/** Asks each in turn until one knows of somebody: not every server has all of them, and one that has may not fill it. */
async function holdersOf({query}: Asked, database: string, own = '0'): Promise<Holders> {
	let unseen: string | undefined;
	for (const {isSure, sql} of waysToAsk(database, own)) {
		const rows = await query(sql).catch((error: unknown) => {
			unseen = explain(error);
			return [];
		});
		if (rows.length > 0) {
			const holders = rows.map(([id = '', user = '', host = '', command = '', seconds = '', statement = '', since = '']) => ({
				...{id, user, host, command, seconds, statement, since},
			}));
			return {isSure, holders};
		}
	}

	return {isSure: false, holders: [], ...(unseen === undefined ? {} : {unseen})};
}

/** In a line, and without what stands in quotes, which may be a secret, and may be cut off. */
export const withoutTexts = (sql: string): string =>
	printable(sql.replaceAll(/\s+/g, ' ').replaceAll(/(['"])(?:\\.|(?!\1)[^\\]|\1\1)*(?:\1|\\?$)/g, '$1…$1'));

export function describeHolder({id, user, host, command, seconds, statement, since}: Holder): string {
	const doing = statement === '' ? (command === 'Sleep' ? 'idle' : printable(command)) : `\`${withoutTexts(statement)}\``;
	const open = since === '' ? '' : `, in its transaction since ${since}`;
	return `session ${id} (\`${printable(user)}\` at ${printable(host)}, ${doing} for ${seconds} s${open})`;
}

function describeHolders({isSure, holders, unseen}: Holders): string {
	const who = holders.map(describeHolder).join('; ');
	return who === ''
		? `nobody is seen who holds it${unseen === undefined ? '' : `, because ${unseen}`}`
		: isSure
			? `who has locks there: ${who}`
			: `the server does not say who holds it, and has these sessions: ${who}`;
}

/** Who is in the way of what needs the whole server. */
export const whoHolds = async (server: Asked): Promise<string> => describeHolders(await holdersOf(server, ''));

export const endThatSession = 'end that session (`kill ID`)';

/** @param end what to do with whom */
export const mend = (end: string): string =>
	`${end} (\`kill ID\`), or wait longer: \`${label('mariadb.lock-timeout')}\`, \`HOLDFAST_LOCK_TIMEOUT\``;

/** @param what was waited for, as the server calls it */
function waitedTooLong(found: Holders, what: string, limitMs?: number): RunError {
	const end = found.isSure ? 'end that session' : 'end the one that it is';
	const longer = limitMs === undefined ? 'too long' : `longer than ${limitMs / 1000} s`;
	return new RunError(`a lock was waited for ${longer} (${what}): ${describeHolders(found)}`, {
		hint: limitMs === undefined ? `${end} (\`kill ID\`)` : mend(end),
	});
}

/** https://mariadb.com/kb/en/mariadb-error-code-reference/ */
const waitIsOver = 1205;

/** The same, and who is in the way, where it waited for a lock in vain. */
export const tellingWho =
	({query}: Asked, limitMs?: number): Asked['query'] =>
	async (sql, database) =>
		query(sql, database).catch(async (error: unknown) => {
			throw error instanceof ServerRefusal && error.code === waitIsOver
				? waitedTooLong(await holdersOf({query}, database ?? ''), withoutTexts(sql.slice(0, 100)), limitMs)
				: error;
		});

interface Waiter {
	id: string;
	/** `Waiting for table metadata lock` */
	state: string;
	statement: string;
}

/** Of a dump of that database whose session is newer than another one: its programs do not say which one they have. */
const waitersSql = (
	database: string,
	newerThan: number,
) => `select id, state, left(coalesce(info, ''), 200) from information_schema.processlist
	where user = substring_index(user(), '@', 1) and db = ${quoteLiteral(database)} and id > ${newerThan} and id <> connection_id()
	and state regexp '^Waiting for .*(lock|flush)' and (info like 'show %' or locate('SQL_NO_CACHE', info) > 0) order by id limit 1`;

const waiterOf = async ({query}: Asked, database: string, newerThan: number): Promise<Waiter | undefined> => {
	const [[id, state = '', statement = ''] = []] = await query(waitersSql(database, newerThan));
	return id === undefined ? undefined : {id, state, statement: withoutTexts(statement)};
};

interface Watched {
	server: Asked;
	database: string;
	/** A session that was there before. */
	newerThan: number;
	/** What it does waits for no lock. */
	isReading: () => boolean;
	limitMs: number;
	signal: AbortSignal;
}

/** Looks until it is aborted. A look that fails says nothing. @throws {RunError} when a wait has taken as long as it may, with who is in the way */
async function assertNoLongWait({server, database, newerThan, isReading, limitMs, signal}: Watched): Promise<void> {
	let since: number | undefined;
	while (!signal.aborted) {
		await delay(Math.min(2000, Math.ceil(limitMs / 4)), undefined, {signal}).catch(() => {});
		if (signal.aborted) {
			return;
		}

		const waiter = isReading() ? undefined : await waiterOf(server, database, newerThan).catch(() => undefined);
		since = waiter === undefined ? undefined : (since ?? Date.now());
		if (waiter !== undefined && since !== undefined && Date.now() - since >= limitMs) {
			const found = await holdersOf(server, database, waiter.id);
			// It may have got its lock, and be done, meanwhile.
			if (!signal.aborted) {
				throw waitedTooLong(found, `${waiter.state}: ${waiter.statement}`, limitMs);
			}
		}
	}
}

/** A dump's program at work, ended when it waits for too long: the server ends what waits for nobody any more. @throws {RunError} with who is in the way */
export const patiently = async <T>(watching: Watched, work: (signal: AbortSignal) => Promise<T>): Promise<T> =>
	watched(watching.signal, {work, watch: async signal => assertNoLongWait({...watching, signal})});
