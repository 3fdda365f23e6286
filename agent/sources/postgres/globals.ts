/** What a dump does not hold: roles and tablespaces, as SQL that makes them. */
import {succeed} from '../../../base/command.ts';
import {quotedLists} from './properties.ts';
import {untimedEnvironment} from './psql.ts';
import {connectionString, type PostgresServer, spokenEnglish} from './server.ts';

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
	// A role may have another encoding, in which there need not be all characters of names.
	const env = {...spokenEnglish, PGCLIENTENCODING: 'UTF8', ...(await untimedEnvironment(server, database))};
	return succeed(client, {argv: (await seesPasswords(server, database)) ? argv : [...argv, '--no-role-passwords'], env});
}

/** Of the roles: mostly only a superuser may read them. */
async function seesPasswords(server: PostgresServer, database: string): Promise<boolean> {
	const [[sees = ''] = []] = await server.query(database, "select has_table_privilege('pg_catalog.pg_authid', 'select')");
	return sees === 't';
}

/** The same, as far as a point needs it, asked of the server itself. */
async function globalsAsked(server: PostgresServer, database: string): Promise<string> {
	const roles = (await seesPasswords(server, database)) ? 'pg_authid' : 'pg_roles';
	const [[lines = 'null'] = []] = await server.query(database, globalsSql(roles));
	return (JSON.parse(lines) as string[] | null)?.join('\n') ?? '';
}

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
	select 3, format('ALTER ROLE %I SET %I TO %s;', rolname, name, case when name in (${quotedLists.map(name => `'${name}'`).join(', ')}) and value <> '' then value else quote_literal(value) end)
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
