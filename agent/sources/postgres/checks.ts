/**
 * Checks that call functions may look at rows of other tables, which are not there yet when a dump is loaded: pg_dump cannot know in which order to write them
 * (https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-CHECK-CONSTRAINTS). They are taken away before the rows come, and made again behind them.
 */
import {explain} from '../../../base/errors.ts';
import {runSql} from './psql.ts';
import type {PostgresServer} from './server.ts';
import {quoteLiteral} from './sql.ts';

interface Check {
	/** `table public.t`, `domain public.d` */
	on: string;
	/** Quoted. */
	name: string;
	/** `CHECK (…)`, without `NOT VALID`. */
	definition: string;
	/** It held for all rows, as far as the server knew. */
	isValid: boolean;
	comment: string | null;
}

/** One column, JSON. Those that a table has from another come and go with that one. */
const checksSql =
	`select json_build_object('on', case when conrelid <> 0 then 'table ' || conrelid::regclass else 'domain ' || contypid::regtype end,
	'name', quote_ident(conname), 'definition', regexp_replace(definition, ' NOT VALID$', ''), 'isValid', convalidated, 'comment', obj_description(oid, 'pg_constraint'))
	from pg_constraint, pg_get_constraintdef(oid) definition
	where contype = 'c' and coninhcount = 0 and definition not like '%NOT ENFORCED' and exists (select from pg_depend
		where classid = 'pg_constraint'::regclass and objid = pg_constraint.oid and refclassid in ('pg_proc'::regclass, 'pg_operator'::regclass))
	order by conrelid, contypid, conname`.replaceAll(/\s+/g, ' ');

const checksOf = async (server: PostgresServer, database: string): Promise<Check[]> =>
	(await server.query(database, checksSql)).map(([check = '{}']) => JSON.parse(check) as Check);

/** Whether a load failed while rows came in, into a database whose checks may look at other rows. */
export const mayNeedOtherRows = async (server: PostgresServer, database: string, message: string): Promise<boolean> =>
	/COPY failed for table /.test(message) && (await checksOf(server, database)).length > 0;

/** Of a database without rows. @returns what makes them again */
export async function takeChecks(server: PostgresServer, database: string, signal: AbortSignal): Promise<Check[]> {
	const taken: Check[] = [];
	// One that a table had from another, and of its own, is its own alone once that of the other is gone.
	for (let found = await checksOf(server, database); found.length > 0; found = await checksOf(server, database)) {
		await runSql(server, {database, statements: found.map(({on, name}) => `alter ${on} drop constraint ${name}`), signal});
		taken.push(...found);
	}

	return taken;
}

interface Made {
	database: string;
	checks: readonly Check[];
	/** Of the functions that they call; none: the session's own. */
	searchPath: string | undefined;
	/** Told, and part of the result. */
	tolerate: (what: string) => void;
	signal: AbortSignal;
}

/** One that does not hold for all rows, although the server had believed it, holds for new rows only: nothing else of it was true. */
export async function makeChecks(server: PostgresServer, {database, checks, searchPath, tolerate, signal}: Made): Promise<void> {
	const path = searchPath === undefined ? [] : [`select set_config('search_path', ${quoteLiteral(searchPath)}, false)`];
	await runSql(server, {
		database,
		statements: checks.flatMap(({on, name, definition, comment}) => [
			`alter ${on} add constraint ${name} ${definition} not valid`,
			...(comment === null ? [] : [`comment on constraint ${name} on ${on.replace(/^table /, '')} is ${quoteLiteral(comment)}`]),
		]),
		signal,
	});
	for (const {on, name} of checks.filter(({isValid}) => isValid)) {
		await runSql(server, {database, statements: [...path, `alter ${on} validate constraint ${name}`], signal}).catch((error: unknown) => {
			signal.throwIfAborted();
			tolerate(
				`the check ${name} of the ${on} does not hold for all of its rows, and is made for new ones only (\`not valid\`): ${explain(error)}`,
			);
		});
	}
}
