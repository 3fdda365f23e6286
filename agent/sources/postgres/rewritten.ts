/**
 * What an application may take away from a snapshot that is older: to a transaction that has no lock on it yet, a table that was emptied (`truncate`) or
 * rewritten (`alter table`) is empty, as if it had been so (https://www.postgresql.org/docs/current/mvcc-caveats.html), and pg_dump dumps it as that. What
 * was dropped, pg_dump fails at. Once it has its locks, neither can happen.
 */
import {setTimeout as delay} from 'node:timers/promises';
import {explain, RunError} from '../../../base/errors.ts';
import {printable} from '../../../base/printable.ts';
import type {Produce} from '../relay.ts';
import {watched} from '../watched.ts';
import {quoteLiteral} from './sql.ts';

/** The first that may be an application's. */
const firstOid = 16_384;

/** Whether the dump is past its locks, which it asks for before anything else of its tables. */
const isLockedSql = (application: string): string =>
	`do $$ begin perform pg_stat_clear_snapshot(); end $$; select exists (select from pg_stat_activity a
	where application_name = ${quoteLiteral(application)} and pid <> pg_backend_pid() and query !~ '^LOCK TABLE ' and wait_event_type is distinct from 'Lock'
	and exists (select from pg_locks l where l.pid = a.pid and granted and relation >= ${firstOid}));`.replaceAll(/\s+/g, ' ');

/** In the transaction of the snapshot: tables whose rows are kept elsewhere now. Its answer is one line: JSON. */
const rewrittenSql = `select coalesce(json_agg(oid::regclass::text order by oid), '[]') from pg_class
	where oid >= ${firstOid} and relkind = 'r' and relpersistence <> 't' and pg_relation_filenode(oid) <> relfilenode;`.replaceAll(
	/\s+/g,
	' ',
);

/** A small dump is over soon after it has its locks. */
const lookEveryMs = 100;

interface Asked {
	/** In the session that holds the snapshot. @returns one line */
	ask: (sql: string) => Promise<string>;
	/** That of the dump's session. */
	application: string;
}

/** Ends a dump of which tables lost their rows to the snapshot before it had locked them. */
export function unlessRewritten(produce: Produce, {ask, application}: Asked): Produce {
	return async signal => {
		const assertNone = async () => assertUnchanged(JSON.parse(await ask(rewrittenSql)) as string[]);
		/** Whether its locks were seen, and so what no dump can lack any more. */
		let isSeen = false;
		const watch = async (until: AbortSignal): Promise<void> => {
			while (!until.aborted) {
				if ((await ask(isLockedSql(application))) === 't') {
					await assertNone();
					isSeen = true;
					return;
				}

				await delay(lookEveryMs, undefined, {signal: until}).catch(() => {});
			}
		};
		await watched(signal, {work: produce, watch});
		if (!isSeen) {
			await assertNone();
		}
	};
}

const shownAtMost = 5;

function assertUnchanged(tables: readonly string[]): void {
	if (tables.length > 0) {
		const shown = tables.slice(0, shownAtMost).map(table => `\`${printable(table)}\``);
		const others = tables.length > shownAtMost ? ` and ${tables.length - shownAtMost} more` : '';
		throw new RunError(`${rewritten} ${shown.join(', ')}${others}`);
	}
}

const rewritten = 'between its snapshot and the locks of its dump, its application emptied or rewrote (truncate, alter table, vacuum full)';

/** Of what was dropped, or altered, in between; in English, as the dump speaks it where it may. */
const gone = /ERROR: {2}.*(?:does not exist|cache lookup failed for )|with OID \d+/;

/** Whether a dump failed for what a later snapshot would not meet. */
export const isOvertaken = (error: unknown): boolean => {
	const said = explain(error);
	return said.includes(rewritten) || gone.test(said);
};
