/** Whether a server refused a session for want of room, which passes. libpq prints no SQLSTATE for a refused connection, and the server speaks its own language then. Pure. */
import {explain, RunError} from '../../../base/errors.ts';
import {NoSessionError} from './maintenance.ts';

/** There are fewer sessions than are needed. */
export class CrowdedError extends RunError {}

/** 53300, 57P03: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const passing =
	/too many (?:clients|connections)|remaining connection slots|the database system is (?:starting up|shutting down|in recovery mode|not yet accepting)/;

const lasting = /does not exist|permission denied|pg_hba|password|authentication|not permitted|not currently accepting|certificate|\bSSL\b/;

/** Ours, of a session that psql could not begin; and what libpq's other programs say of theirs, in English where `LC_ALL` says so (until 13: "to database", or "could not connect"). */
const ended =
	/^`psql` ended with exit code 2: |pg_dump(?:all)?: error: (?:connection to (?:server|database)\b.* failed: |could not connect to )/s;

/** @param wasLetIn the server let the role in before, in this run: whatever it says in a language that is not known here is waited for */
export function isCrowded(error: unknown, {wasLetIn}: {wasLetIn: boolean}): boolean {
	const said = explain(error);
	const isRefused = error instanceof NoSessionError || (error instanceof Error && ended.test(error.message));
	return error instanceof CrowdedError || passing.test(said) || (wasLetIn && isRefused && !lasting.test(said));
}
