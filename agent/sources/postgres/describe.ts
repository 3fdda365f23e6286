/** What a server says of itself, and of its databases. */
import type {PostgresServer} from './server.ts';
import {type Sessions, sessionsSql} from './sessions.ts';

export interface Databases {
	/** Those that allow connections, but templates. */
	open: string[];
	/** Those that allow connections, made templates by somebody: not the server's own. */
	templates?: string[];
	/** Those that allow none: they cannot be dumped. */
	closed: string[];
	/** What an interrupted `drop database` has left: nobody can do anything with them but drop them. */
	invalid?: string[];
	/** Those that let the role have fewer sessions than a dump needs, and how many. */
	narrow?: Record<string, number>;
}

/** One holds the snapshot, one dumps. */
const dumpTakes = 2;

/** https://www.postgresql.org/docs/current/catalog-pg-database.html */
const isInvalid = 'datconnlimit = -2';

/** One column, JSON, because a name may hold a newline. */
const describeSql = `select json_build_object('databases', json_build_object(
		'open', coalesce(json_agg(datname order by datname) filter (where datallowconn and not datistemplate and not ${isInvalid}), '[]'),
		'templates', coalesce(json_agg(datname order by datname) filter (where datallowconn and datistemplate and not ${isInvalid}), '[]'),
		'closed', coalesce(json_agg(datname order by datname) filter (where not datallowconn and not datistemplate and not ${isInvalid}), '[]'),
		'invalid', coalesce(json_agg(datname order by datname) filter (where ${isInvalid}), '[]'),
		'narrow', coalesce(json_object_agg(datname, datconnlimit) filter (where datconnlimit >= 0 and datconnlimit < ${dumpTakes}
			and not (select rolsuper from pg_roles where rolname = current_user)), '{}')),
	'tablespaces', (select coalesce(json_agg(place) filter (where place <> ''), '[]') from (select pg_tablespace_location(oid) from pg_tablespace) t (place)),
	'sessions', ${sessionsSql},
	'seesAll', (select rolsuper or rolbypassrls from pg_roles where rolname = current_user))
	from pg_database where datname not in ('template0', 'template1') or not datistemplate`.replaceAll(/\s+/g, ' ');

interface Described {
	/** Names of those that are no templates. */
	databases: Databases;
	/** Folders, as they were made. */
	tablespaces: string[];
	sessions: Sessions;
	/** No policy hides rows from the role. */
	seesAll: boolean;
}

export async function describeServer(server: PostgresServer): Promise<Described> {
	const [[answer = '{}'] = []] = await server.anywhere(describeSql);
	return JSON.parse(answer) as Described;
}

export interface ServerVersion {
	/** 170002 */
	versionNumber: number;
	/** `17.2 (Debian 17.2-1)` */
	versionText: string;
}

export async function serverVersion(server: PostgresServer): Promise<ServerVersion> {
	const [row] = await server.anywhere("select current_setting('server_version_num'), current_setting('server_version')");
	return {versionNumber: Number(row?.[0]), versionText: row?.[1] ?? ''};
}
