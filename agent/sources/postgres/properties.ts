/** What a PostgreSQL database is beside its content: read from a live one or from a manifest, and given to a new one. */
import * as z from 'zod';
import {quoteIdentifier, quoteLiteral} from './sql.ts';

/**
 * One row, one column: JSON. What only some server versions have is read from the row as JSON, where it is null in the others.
 * `where` picks a row of `pg_database d`.
 */
export const describeSql = (where: string): string =>
	`select json_build_object(
	'owner', pg_get_userbyid(datdba), 'encoding', pg_encoding_to_char(encoding), 'collate', datcollate, 'ctype', datctype,
	'localeProvider', to_jsonb(d)->>'datlocprovider', 'locale', coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale'),
	'icuRules', to_jsonb(d)->>'daticurules', 'connectionLimit', datconnlimit, 'isTemplate', datistemplate,
	'tablespace', (select spcname from pg_tablespace t where t.oid = dattablespace),
	'settings', (select coalesce(json_agg(json_build_object('role', case when setrole <> 0 then pg_get_userbyid(setrole) end,
		'name', split_part(setting, '=', 1), 'value', substr(setting, strpos(setting, '=') + 1)) order by setrole, ord), '[]')
		from pg_db_role_setting s, unnest(setconfig) with ordinality as u(setting, ord) where setdatabase = d.oid),
	'grants', case when datacl is not null then (select coalesce(json_agg(json_build_object(
		'to', case when grantee <> 0 then pg_get_userbyid(grantee) end, 'privilege', privilege_type, 'grantable', is_grantable)), '[]')
		from aclexplode(datacl)) end
) from pg_database d where ${where}`.replaceAll(/\s+/g, ' ');

/** One row, one column: JSON. It has the encoding of the database in which it was made, which mostly is the one that it is about: others may not be able to read it. */
export const commentSql = (where: string): string =>
	`select to_json(shobj_description(oid, 'pg_database')) from pg_database where ${where}`;

/** What is absent was not recorded. */
export const databaseProperties = z.object({
	owner: z.string(),
	encoding: z.string(),
	collate: z.string(),
	ctype: z.string(),
	/** `c` libc, `i` icu, `b` built in; none before 15. */
	localeProvider: z.string().nullish(),
	locale: z.string().nullish(),
	icuRules: z.string().nullish(),
	connectionLimit: z.number().default(-1),
	isTemplate: z.boolean().default(false),
	tablespace: z.string().nullish(),
	comment: z.string().nullish(),
	/** `role` is null for the settings of everybody. */
	settings: z.array(z.object({role: z.string().nullable(), name: z.string(), value: z.string()})).default([]),
	/** `to` is null for `public`. None: the default privileges. */
	grants: z.array(z.object({to: z.string().nullable(), privilege: z.string(), grantable: z.boolean()})).nullish(),
});

export type DatabaseProperties = z.infer<typeof databaseProperties>;

const providers: Readonly<Record<string, string>> = {c: 'libc', i: 'icu', b: 'builtin'};

/** An empty database with the owner, encoding and collation; it takes nothing from what administrators put into `template1`. */
export function createDatabaseSql(
	name: string,
	{owner, encoding, collate, ctype, localeProvider, locale, icuRules, tablespace}: DatabaseProperties,
): string {
	const provider = providers[localeProvider ?? ''];
	return [
		`create database ${quoteIdentifier(name)} template template0 owner ${quoteIdentifier(owner)}`,
		`encoding ${quoteLiteral(encoding)} lc_collate ${quoteLiteral(collate)} lc_ctype ${quoteLiteral(ctype)}`,
		...(provider === undefined ? [] : [`locale_provider ${provider}`]),
		...(provider === 'icu' && locale ? [`icu_locale ${quoteLiteral(locale)}`] : []),
		...(provider === 'icu' && icuRules ? [`icu_rules ${quoteLiteral(icuRules)}`] : []),
		...(provider === 'builtin' && locale ? [`builtin_locale ${quoteLiteral(locale)}`] : []),
		...(tablespace && tablespace !== 'pg_default' ? [`tablespace ${quoteIdentifier(tablespace)}`] : []),
	].join(' ');
}

/** What is given after the content is in: a setting may be in the way of loading. Each is a transaction of its own. */
export function propertiesSql(name: string, {owner, connectionLimit, isTemplate, settings, grants}: DatabaseProperties): string[] {
	const database = quoteIdentifier(name);
	return [
		...(connectionLimit === -1 ? [] : [`alter database ${database} connection limit ${connectionLimit}`]),
		...(isTemplate ? [`alter database ${database} is_template true`] : []),
		...settings.map(setting => settingSql(database, setting)),
		...(grants ? grantsSql(database, owner, grants) : []),
	];
}

/** From within the database itself: see `commentSql`. */
export const commentingSql = (name: string, {comment}: DatabaseProperties): string[] =>
	comment ? [`comment on database ${quoteIdentifier(name)} is ${quoteLiteral(comment)}`] : [];

/** Settings of which the catalog keeps the elements of a list as they are quoted. */
export const quotedLists = [
	'local_preload_libraries',
	'search_path',
	'session_preload_libraries',
	'shared_preload_libraries',
	'temp_tablespaces',
	'unix_socket_directories',
];

/** `from current` takes the value of a list as it is, whose quoting would differ. Other values must not hold while they are given: a role may not give them, and a short time-out ends it. */
function settingSql(database: string, {role, name, value}: DatabaseProperties['settings'][number]): string {
	const subject = role === null ? `database ${database}` : `role ${quoteIdentifier(role)} in database ${database}`;
	const parameter = name.split('.').map(quoteIdentifier).join('.');
	return quotedLists.includes(name)
		? `begin; select set_config(${quoteLiteral(name)}, ${quoteLiteral(value)}, true); alter ${subject} set ${parameter} from current; commit`
		: `alter ${subject} set ${parameter} to ${quoteLiteral(value)}`;
}

const privileges = ['CONNECT', 'CREATE', 'TEMPORARY'];

function grantsSql(database: string, owner: string, grants: NonNullable<DatabaseProperties['grants']>): string[] {
	return [
		`revoke all on database ${database} from public`,
		`revoke all on database ${database} from ${quoteIdentifier(owner)}`,
		...grants
			.filter(({privilege}) => privileges.includes(privilege))
			.map(
				({to, privilege, grantable}) =>
					`grant ${privilege} on database ${database} to ${to === null ? 'public' : quoteIdentifier(to)}${grantable ? ' with grant option' : ''}`,
			),
	];
}
