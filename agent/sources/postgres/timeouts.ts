/** What could end a session of Holdfast's own, let it outlive its program, keep it from writing, or change what its SQL means: set for itself, whatever the server, the database or the role says. */
/**
 * No server knows all of them. A session whose program was killed while it waits for a lock ends at the next check of its connection (from 14 on);
 * before that it would wait on, and others behind it.
 */
const settings: Readonly<Record<string, string>> = {
	statement_timeout: '0',
	lock_timeout: '0',
	idle_in_transaction_session_timeout: '0',
	idle_session_timeout: '0',
	transaction_timeout: '0',
	client_connection_check_interval: '10s',
	default_transaction_read_only: 'off',
	default_transaction_deferrable: 'off',
	default_transaction_isolation: 'read committed',
	standard_conforming_strings: 'on',
};

/**
 * A superuser's session is itself, whatever role the database gives it (`alter database … set role`), and the server's log does not get what it says: roles and foreign servers have passwords.
 * No other role can do without the role that it is given, or may set the rest.
 */
const superuserSettings: Readonly<Record<string, string>> = {
	role: 'none',
	log_statement: 'none',
	log_min_duration_statement: '-1',
	log_min_error_statement: 'panic',
};

/** Also where the session has been given another role. */
const isSuperuser = '(select rolsuper from pg_catalog.pg_roles where rolname operator(pg_catalog.=) session_user)';

const wanted = `(values ${Object.entries(settings)
	.map(([name, value]) => `('${name}', '${value}')`)
	.join(', ')}) as wanted (known, own)`;

/** `-c NAME=VALUE …`, as `PGOPTIONS` holds them, of the settings that the server knows. A superuser's session is spoken to in English, too: what programs complain of is read. */
export const optionsSql = `select concat_ws(' ', string_agg('-c ' || name || '=' || replace(own, ' ', chr(92) || ' '), ' ' order by name), case when ${isSuperuser} then '${Object.entries(
	{...superuserSettings, lc_messages: 'C'},
)
	.map(([name, value]) => `-c ${name}=${value}`)
	.join(' ')}' end) from pg_settings join ${wanted} on name = known`;

/** As `PGOPTIONS` holds it: a space would end it. */
export const sessionOption = (name: string, value: string): string => `-c ${name}=${value.replaceAll(/[\\\s]/g, String.raw`\$&`)}`;

/** Statements without output, for the beginning of a session. The first is over before any time is. */
export const untimed: readonly string[] = [
	'set statement_timeout = 0',
	`do $$ begin if ${isSuperuser} then ${Object.entries(superuserSettings)
		.map(([name, value]) => `perform pg_catalog.set_config('${name}', '${value}', false);`)
		.join(
			' ',
		)} end if; perform pg_catalog.set_config(name, own, false) from pg_catalog.pg_settings join ${wanted} on name operator(pg_catalog.=) known; end $$`,
];

/**
 * A statement for what is done to a database when all that was dumped is there, its event triggers among it: they would forbid it, or note it down. Where the role is no superuser
 * there are none of its making. https://www.postgresql.org/docs/current/sql-altereventtrigger.html
 */
export const withoutEventTriggers = `select pg_catalog.set_config('session_replication_role', 'replica', false) where ${isSuperuser}`;

/** For sessions that run nothing but Holdfast's own SQL: a database may have functions and operators of the names that this uses, and another encoding than names are read in. */
export const ownSession: readonly string[] = [...untimed, 'set search_path = pg_catalog', "set client_encoding = 'UTF8'"];
