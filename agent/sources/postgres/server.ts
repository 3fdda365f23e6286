/**
 * A PostgreSQL server in a container: its own programs, run as its own user over its own socket, so that the version always matches and
 * mostly no password is needed.
 */

import {type Command, lastLines, output, type Place} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {label} from '../../../base/label.ts';
import type {Container} from '../../../docker/container.ts';
import type {Engine} from '../../../docker/engine.ts';
import {inContainer} from '../../../docker/exec.ts';
import {ownSession} from './timeouts.ts';

export interface PostgresServer {
	/** The role that dumps and restores. */
	user: string;
	/** Completes "the server …". */
	where: string;
	/** It is in no container that Holdfast knows, and the client programs are Holdfast's own. */
	isExternal: boolean;
	/** The arguments that every client program gets. */
	connection: (database: string) => readonly string[];
	/** Runs a client program: in the database's container, or for an external server in a worker. */
	client: Place;
	/** @throws where a dump worker cannot enter the container's file system */
	assertEnterable: () => void;
	/** What a dump worker runs: `script` (for `sh`) gets `scriptArguments`, and after them the program, inside the database's container. */
	fromWorker: (script: string, scriptArguments: readonly string[], argv: readonly string[]) => Command;
	/** Where the server keeps its data, as its container sees it; also for a role that may not ask the server. */
	dataFolder: () => Promise<string>;
	/** Rows of one query, as text, columns split at tabs. */
	query: (database: string, sql: string, signal?: AbortSignal) => Promise<string[][]>;
}

/**
 * Finds postgres processes and says who they run as: pid, uid, gid, and whether it is in this container's control group. The container's
 * first process may be an init or a supervisor; with the host's pid namespace, those of every other container are seen too.
 */
const findServer = `read -r own </proc/self/cgroup
for process in /proc/[0-9]*; do
	name= uid= gid= group=
	read -r name <"$process/comm"
	case $name in postgres|postmaster) ;; *) continue ;; esac
	while read -r key value _; do case $key in Uid:) uid=$value;; Gid:) gid=$value;; esac; done <"$process/status"
	read -r group <"$process/cgroup"
	[ "$group" = "$own" ] && own_group=1 || own_group=0
	[ -z "$gid" ] || echo "\${process#/proc/} $uid $gid $own_group"
done 2>/dev/null`;

/** What a client program may need of the container's own environment. Nothing that would make it dial elsewhere. */
const clientVariables = ['PATH', 'PGPORT', 'LANG', 'LC_ALL', 'HOME'];

/** `dbname='…'`: a name can hold anything, and must not be read as a connection string. */
export const connectionString = (database: string) => `dbname='${database.replace(/[\\']/g, String.raw`\$&`)}'`;

export const connectionOf = (user: string) => (database: string) =>
	['--no-password', `--username=${user}`, `--dbname=${connectionString(database)}`] as const;

/** `"…"`, for SQL. */
export const quoteIdentifier = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** `'…'`, for SQL; backslashes are plain characters there (standard_conforming_strings). */
export const quoteLiteral = (text: string) => `'${text.replaceAll("'", "''")}'`;

export async function connectPostgres(
	engine: Engine,
	container: Pick<Container, 'id' | 'name'>,
	role: string | undefined,
	signal?: AbortSignal,
): Promise<PostgresServer> {
	const details = await engine.inspect(container.id);
	if (details.state !== 'running') {
		throw new RunError(`container \`${container.name}\` is ${details.state}, so its databases cannot be read`, {
			hint: `start it: \`docker start ${container.name}\``,
		});
	}

	const place = inContainer(engine, container.id);
	const {stdout} = await output(place, {argv: ['sh', '-c', findServer], user: '0', signal});
	const [pid, uid, gid] = oldestServer(stdout);
	if (pid === undefined || uid === undefined || gid === undefined) {
		throw new RunError(`no PostgreSQL server runs in container \`${container.name}\``, {
			hint: `correct the label \`${label('postgres')}\`, or see the container's log`,
		});
	}

	const user = role ?? details.env.POSTGRES_USER ?? 'postgres';
	const env: Record<string, string> = {};
	for (const name of clientVariables) {
		if (details.env[name]) {
			env[name] = details.env[name];
		}
	}

	// A socket folder of its own is fine; a host would make the client dial out.
	if (details.env.PGHOST?.startsWith('/')) {
		env.PGHOST = details.env.PGHOST;
	}

	const password = details.env.PGPASSWORD ?? details.env.POSTGRES_PASSWORD;
	if (password) {
		env.PGPASSWORD = password;
	}

	const client: Place = async command =>
		place({...command, user: `${uid}:${gid}`, env: {...env, ...command.env}, signal: command.signal ?? signal});
	const connection = connectionOf(user);
	const where = `in container \`${container.name}\``;
	const query = queryWith({client, connection, where});
	return {
		user,
		where,
		isExternal: false,
		connection,
		client,
		assertEnterable() {
			// The folder of a pid would be the host's, not the container's.
			if (details.pidMode !== '') {
				throw new RunError(`it has the pid namespace \`${details.pidMode}\``);
			}
		},
		fromWorker: (script, scriptArguments, argv) => ({
			argv: [
				'/bin/sh',
				'-c',
				script,
				'sh',
				...scriptArguments,
				'/usr/sbin/chroot',
				`--userspec=${uid}:${gid}`,
				'--groups=',
				`/proc/${pid}/root`,
				...argv,
			],
			env,
		}),
		async dataFolder() {
			// The first process works in it. Where that may not be seen, the server says it to superusers.
			const {exitCode, stdout: folder} = await output(client, {argv: ['readlink', '--', `/proc/${pid}/cwd`]});
			return exitCode === 0 ? folder.replace(/\n$/, '') : askDataFolder(query);
		},
		query,
	};
}

/** Rows of one query. */
export function queryWith({client, connection, where}: Pick<PostgresServer, 'client' | 'connection' | 'where'>): PostgresServer['query'] {
	return async (database, sql, signal) => {
		const commands = [...ownSession, sql].flatMap(statement => ['-c', statement]);
		const {exitCode, stdout, stderr} = await output(client, {
			argv: ['psql', '-X', '-A', '-t', '-q', '-F', '\t', '-v', 'ON_ERROR_STOP=1', ...connection(database), ...commands],
			signal,
		});
		if (exitCode !== 0) {
			throw new RunError(`PostgreSQL ${where} refused: ${lastLines(stderr)}`);
		}

		return stdout
			.split('\n')
			.filter(row => row !== '')
			.map(row => row.split('\t'));
	};
}

const askDataFolder = async (query: PostgresServer['query']): Promise<string> =>
	JSON.parse((await query('postgres', "select to_json(current_setting('data_directory'))"))[0]?.[0] ?? '""') as string;

/** The process with the lowest pid is the parent of the others. */
function oldestServer(found: string): number[] {
	const servers = found
		.split('\n')
		.filter(Boolean)
		.map(line => line.split(' ').map(Number));
	const own = servers.filter(([, , , isOwn]) => isOwn === 1);
	return (own.length > 0 ? own : servers).sort(([a = 0], [b = 0]) => a - b)[0] ?? [];
}

export interface Databases {
	/** Those that allow connections. */
	open: string[];
	/** Those that allow none: they cannot be dumped. */
	closed: string[];
}

/** Names of the databases that are no templates. */
export async function listDatabases(server: PostgresServer): Promise<Databases> {
	// As JSON, because a name may hold a newline.
	const rows = await server.query(
		'postgres',
		'select datallowconn, to_json(datname) from pg_database where not datistemplate order by datname',
	);
	const named = (allows: string) => rows.filter(([flag]) => flag === allows).map(([, name = '""']) => JSON.parse(name) as string);
	return {open: named('t'), closed: named('f')};
}

export interface ServerVersion {
	/** 170002 */
	versionNumber: number;
	/** `17.2 (Debian 17.2-1)` */
	versionText: string;
}

export async function serverVersion(server: PostgresServer): Promise<ServerVersion> {
	const [row] = await server.query('postgres', "select current_setting('server_version_num'), current_setting('server_version')");
	return {versionNumber: Number(row?.[0]), versionText: row?.[1] ?? ''};
}
