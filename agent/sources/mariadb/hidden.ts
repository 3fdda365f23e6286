/** What an account cannot see is in none of its dumps, and the server does not say so: it shows a database without it. */
import {quoteLiteral} from './client.ts';
import type {MariadbServer} from './server.ts';

const self = "concat('''', replace(current_user(), '@', '''@'''), '''')";

/** Of the whole server, and of the database, of which a name may be a pattern. What a role may do is listed as the role's. */
const privilegesSql = (database: string) => `select 'role', coalesce(current_role(), 'NONE') union
	select 'everywhere', privilege_type from information_schema.user_privileges where grantee = ${self} union
	select 'here', privilege_type from information_schema.schema_privileges where grantee = ${self} and ${quoteLiteral(database)} like table_schema`;

/** Any of these shows that there is one. Of what is seen and cannot be read, a dump fails; so it does for want of `EVENT`. */
const kinds: ReadonlyArray<{what: string; lacks: string; any: readonly string[]}> = [
	{
		// Of who may do something with some tables only, the others are not there.
		what: 'tables and views',
		lacks: 'SELECT on all of the database',
		any: [
			...['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'CREATE', 'DROP', 'REFERENCES', 'INDEX', 'ALTER', 'CREATE VIEW', 'SHOW VIEW', 'TRIGGER'],
		].flatMap(name => [`everywhere ${name}`, `here ${name}`]),
	},
	{what: 'triggers', lacks: 'TRIGGER', any: ['everywhere TRIGGER', 'here TRIGGER']},
	{
		what: 'routines',
		lacks: 'SHOW CREATE ROUTINE, or SELECT on *.*',
		any: [
			'everywhere SELECT',
			'everywhere SHOW_ROUTINE',
			...['EXECUTE', 'ALTER ROUTINE', 'CREATE ROUTINE', 'SHOW CREATE ROUTINE'].flatMap(name => [`everywhere ${name}`, `here ${name}`]),
		],
	},
];

/** @returns what a dump of that account may lack, with the privilege that it takes: `triggers (TRIGGER)`. Nothing is known of one with a role. */
export async function hiddenFrom({query}: Pick<MariadbServer, 'query'>, database: string): Promise<string[]> {
	const has = new Set((await query(privilegesSql(database))).map(row => row.join(' ')));
	return has.has('role NONE')
		? kinds.flatMap(({what, lacks, any}) => (any.some(privilege => has.has(privilege)) ? [] : [`${what} (${lacks})`]))
		: [];
}
