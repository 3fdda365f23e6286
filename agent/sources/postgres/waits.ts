/** What a dump waits for in the server: seen by the session that holds its snapshot, so that the wait has an end, and who is in the way is said. */

import {setTimeout as delay} from 'node:timers/promises';
import {RunError} from '../../../base/errors.ts';
import {label} from '../../../base/label.ts';
import {printable} from '../../../base/printable.ts';
import type {Produce} from '../relay.ts';
import {watched} from '../watched.ts';
import type {PostgresServer} from './server.ts';
import {quoteLiteral} from './sql.ts';

/** Who holds what one of our sessions waits for. What a role may not see of others is null. */
export interface Blocker {
	/** 0: a prepared transaction. */
	pid: number;
	user: string | null;
	application: string | null;
	state: string | null;
	since: string | null;
	/** Names of prepared transactions. */
	prepared: string[] | null;
	/** The relation that is waited for. */
	what: string | null;
}

/** Its answer is one line: JSON. Prepared transactions have no session: their locks are known by the lock on their own number. */
export const waitsSql = (application: string): string =>
	`do $$ begin perform pg_stat_clear_snapshot(); end $$; select coalesce(json_agg(json_build_object('pid', b.pid, 'user', h.usename, 'application', h.application_name, 'state', h.state,
	'since', to_char(h.xact_start, 'YYYY-MM-DD HH24:MI:SS TZ'), 'what', w.relation::regclass::text,
	'prepared', case when b.pid = 0 then (select json_agg(gid) from pg_prepared_xacts x
		join pg_locks t on t.transactionid = x.transaction and t.pid is null
		join pg_locks l on l.virtualtransaction = t.virtualtransaction and l.pid is null
		where l.relation is not distinct from w.relation and l.database is not distinct from w.database) end)), '[]')
	from (select pid from pg_stat_activity where application_name = ${quoteLiteral(application)} and wait_event_type = 'Lock') a
	join lateral (select relation, database from pg_locks where pid = a.pid and not granted limit 1) w on true
	cross join lateral unnest(pg_blocking_pids(a.pid)) b (pid)
	left join pg_stat_activity h on h.pid = b.pid;`.replaceAll(/\s+/g, ' ');

export function describeBlocker({pid, user, application, state, since, prepared, what}: Blocker): string {
	const name = (text: string | null) => (text ? printable(text) : 'unknown');
	const holds = what === null ? '' : ` has a lock on ${printable(what)}`;
	return pid === 0
		? `the prepared transaction ${(prepared ?? ['of an unknown name']).map(gid => `\`${printable(gid)}\``).join(', ')}${holds}`
		: `session ${pid} (user ${name(user)}, application ${name(application)}, ${name(state)}, in its transaction since ${name(since)})${holds}`;
}

const mend = (): string =>
	`end that session (\`select pg_terminate_backend(PID)\`), or wait longer: \`${label('postgres.lock-timeout')}\`, \`HOLDFAST_LOCK_TIMEOUT\``;

interface Watched {
	/** Of the sessions that may wait. */
	ask: () => Promise<readonly Blocker[]>;
	limitMs: number;
	signal: AbortSignal;
	now?: () => number;
}

/** Looks until it is aborted. @returns never by itself; who was in the way is in the error @throws {RunError} when a wait has taken as long as it may */
export async function assertNoLongWait(
	{ask, limitMs, signal, now = Date.now}: Watched,
	seen: (blockers: readonly Blocker[]) => void,
): Promise<void> {
	let since: number | undefined;
	while (!signal.aborted) {
		await delay(Math.min(2000, Math.ceil(limitMs / 4)), undefined, {signal}).catch(() => {});
		const blockers = signal.aborted ? [] : await ask();
		if (signal.aborted) {
			return;
		}

		seen(blockers);
		since = blockers.length === 0 ? undefined : (since ?? now());
		if (since !== undefined && now() - since >= limitMs) {
			throw waitedTooLong(blockers, limitMs);
		}
	}
}

const waitedTooLong = (blockers: readonly Blocker[], limitMs: number): RunError =>
	new RunError(`a lock was waited for longer than ${limitMs / 1000} s: ${[...new Set(blockers.map(describeBlocker))].join('; ')}`, {
		hint: mend(),
	});

/** Ends a dump that waits for a lock for too long, and says who is in the way, also where the dump itself was the first to give up. */
export const patient =
	(produce: Produce, {ask, limitMs}: Pick<Watched, 'ask' | 'limitMs'>): Produce =>
	async signal => {
		let last: readonly Blocker[] = [];
		await watched(signal, {
			work: async within =>
				produce(within).catch((error: unknown) => {
					throw last.length > 0 ? waitedTooLong(last, limitMs) : error;
				}),
			watch: async until =>
				assertNoLongWait({ask, limitMs, signal: until}, blockers => {
					last = blockers;
				}),
		});
	};

/** Ends what is left of sessions of that name; one whose program was killed while it waits for a lock does not know of it. */
export async function endSessions(server: PostgresServer, database: string, application: string): Promise<void> {
	const sql = `select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${quoteLiteral(application)} and pid <> pg_backend_pid()`;
	await server.query(database, sql, AbortSignal.timeout(10_000)).catch(() => {});
}
