/** Statistics of what was loaded: of all but what would have to ask another server for its rows, which a rehearsal does not reach, and which may be gone. */
import type {PostgresServer} from './server.ts';

/** Where tables are above foreign ones, each of the others by itself. JSON, as names may hold anything. */
const statementSql = `with recursive above (oid) as (
		select oid from pg_class where relkind = 'f'
		union select inhparent from pg_inherits join above on oid = inhrelid)
	select to_json(case when not exists (select from pg_inherits where inhparent in (select oid from above)) then 'analyze' else coalesce(
		(select 'analyze ' || string_agg(format('%I.%I', nspname, relname), ', ') from pg_class c join pg_namespace n on n.oid = relnamespace
			where relkind in ('r', 'm', 'p') and relpersistence <> 't' and nspname <> 'information_schema' and nspname !~ '^pg_'
			and c.oid not in (select oid from above)),
		'select') end)`.replaceAll(/\s+/g, ' ');

export async function analyzeSql(server: Pick<PostgresServer, 'query'>, database: string): Promise<string> {
	const [[statement = '"analyze"'] = []] = await server.query(database, statementSql);
	return JSON.parse(statement) as string;
}
