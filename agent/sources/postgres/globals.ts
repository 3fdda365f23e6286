/** What a dump does not hold: roles and tablespaces, as SQL that makes them. */
import {output, succeed} from '../../../base/command.ts';
import {untimedEnvironment} from './psql.ts';
import {connectionString, type PostgresServer} from './server.ts';

export async function dumpGlobals(server: PostgresServer, database: string, quoting: readonly string[] = []): Promise<string> {
	const {client, user, hasShell} = server;
	if (!hasShell) {
		// It asks `pg_dump` for its version through one (`popen`).
		return globalsAsked(server, database);
	}

	// By itself it would want to connect to `postgres`.
	const argv = [
		'pg_dumpall',
		'--globals-only',
		...quoting,
		'--no-password',
		`--username=${user}`,
		`--database=${connectionString(database)}`,
	] as const;
	const env = await untimedEnvironment(server, database);
	const {exitCode, stdout} = await output(client, {argv, env});
	// Only a superuser may read the passwords of the roles.
	return exitCode === 0 ? stdout : succeed(client, {argv: [...argv, '--no-role-passwords'], env});
}

/** The same, as far as a point needs it, asked of the server itself. */
async function globalsAsked(server: PostgresServer, database: string): Promise<string> {
	const [[sees = ''] = []] = await server.query(database, "select has_table_privilege('pg_catalog.pg_authid', 'select')");
	const [[lines = 'null'] = []] = await server.query(database, globalsSql(sees === 't' ? 'pg_authid' : 'pg_roles'));
	return (JSON.parse(lines) as string[] | null)?.join('\n') ?? '';
}

/** Settings of which the catalog keeps the elements of a list as they are quoted. */
const lists = [
	'local_preload_libraries',
	'search_path',
	'session_preload_libraries',
	'shared_preload_libraries',
	'temp_tablespaces',
	'unix_socket_directories',
];

const either = (attribute: string, word: string): string => `case when ${attribute} then '${word}' else 'NO${word}' end`;

/** @param roles the catalog that has the passwords, or the view that shows stars in their place. A column of a newer version is asked for as JSON. @returns one array */
const globalsSql = (roles: 'pg_authid' | 'pg_roles'): string =>
	`with lines (step, line) as (
	select 1, format('CREATE ROLE %I;', rolname) from ${roles} where rolname !~ '^pg_'
	union all
	select 2, format('ALTER ROLE %I WITH %s;', rolname, concat_ws(' ', ${either('rolsuper', 'SUPERUSER')}, ${either('rolinherit', 'INHERIT')},
		${either('rolcreaterole', 'CREATEROLE')}, ${either('rolcreatedb', 'CREATEDB')}, ${either('rolcanlogin', 'LOGIN')},
		${either('rolreplication', 'REPLICATION')}, ${either('rolbypassrls', 'BYPASSRLS')},
		case when rolconnlimit <> -1 then format('CONNECTION LIMIT %s', rolconnlimit) end,
		${roles === 'pg_authid' ? "'PASSWORD ' || quote_literal(rolpassword)," : ''}
		'VALID UNTIL ' || quote_literal(rolvaliduntil)))
		from ${roles} where rolname !~ '^pg_'
	union all
	select 3, format('ALTER ROLE %I SET %I TO %s;', rolname, name, case when name in (${lists.map(name => `'${name}'`).join(', ')}) and value <> '' then value else quote_literal(value) end)
		from pg_db_role_setting s join pg_roles r on r.oid = s.setrole, unnest(setconfig) c (setting),
		lateral (select split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1)) p (name, value)
		where setdatabase = 0 and rolname !~ '^pg_'
	union all
	select 4, format('GRANT %I TO %I', g.rolname, r.rolname) || case
		when to_jsonb(m) ? 'set_option' then format(' WITH ADMIN %s, INHERIT %s, SET %s', to_jsonb(m)->>'admin_option', to_jsonb(m)->>'inherit_option', to_jsonb(m)->>'set_option')
		when admin_option then ' WITH ADMIN OPTION' else '' end || ';'
		from pg_auth_members m join pg_roles g on g.oid = roleid join pg_roles r on r.oid = member where r.rolname !~ '^pg_'
	union all
	select 5, format('CREATE TABLESPACE %I OWNER %I LOCATION %L;', spcname, pg_get_userbyid(spcowner), pg_tablespace_location(oid))
		from pg_tablespace where spcname !~ '^pg_')
select json_agg(line order by step, line) from lines`.replaceAll(/\s+/g, ' ');
