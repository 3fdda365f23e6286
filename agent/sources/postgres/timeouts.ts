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

const wanted = `(values ${Object.entries(settings)
	.map(([name, value]) => `('${name}', '${value}')`)
	.join(', ')}) as wanted (known, own)`;

/** `-c NAME=VALUE …`, as `PGOPTIONS` holds them, of the settings that the server knows. A superuser's session is spoken to in English, too: what programs complain of is read. */
export const optionsSql = `select concat_ws(' ', string_agg('-c ' || name || '=' || replace(own, ' ', chr(92) || ' '), ' ' order by name), case when current_setting('is_superuser') = 'on' then '-c lc_messages=C' end) from pg_settings join ${wanted} on name = known`;

/** Statements without output, for the beginning of a session. */
export const untimed: readonly string[] = [
	`do $$ begin perform pg_catalog.set_config(name, own, false) from pg_catalog.pg_settings join ${wanted} on name operator(pg_catalog.=) known; end $$`,
];

/** For sessions that run nothing but Holdfast's own SQL: a database may have functions and operators of the names that this uses, and another encoding than names are read in. */
export const ownSession: readonly string[] = ['set search_path = pg_catalog', "set client_encoding = 'UTF8'", ...untimed];
