/**
 * A PostgreSQL server in a container: its own programs, run as its own user over its own socket, so that the version always matches and
 * mostly no password is needed.
 */

import {type Command, lastLines, output, type Place} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {label} from '../../../base/label.ts';
import {single} from '../../../base/once.ts';
import type {Container} from '../../../docker/container.ts';
import type {Engine} from '../../../docker/engine.ts';
import {inContainer} from '../../../docker/exec.ts';
import {assertOwnPids, enteringArgv} from '../entering.ts';
import {readFileIn} from '../read-text.ts';
import {secretOf} from '../secret.ts';
import {detailsOfRunning} from '../server-process.ts';
import {type Maintenance, maintenanceIn, NoSessionError} from './maintenance.ts';
import type {Inside} from './plan-external.ts';
import {findProcess, linked, type ServerProcess} from './process.ts';
import {ownSession} from './timeouts.ts';
import {databasesOf, type Who, whoDumps} from './who.ts';

export interface PostgresServer {
	/** The role that dumps and restores. */
	user: string;
	/** Completes "the server …". */
	where: string;
	/** It is in no container that Holdfast knows, and the client programs are Holdfast's own. */
	isExternal: boolean;
	/** Where its client programs run there is one. */
	hasShell: boolean;
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
	/**
	 * The database that is asked what does not depend on one, and from which others are renamed and dropped.
	 * @param except is renamed or dropped @throws with why none lets the role in
	 */
	maintenance: Maintenance['maintenance'];
	/** Rows of a question that does not depend on a database. @throws with why none lets the role in */
	anywhere: Maintenance['anywhere'];
	/** The data directory, and what else is the server's own: where its WAL and its tablespaces are. As its container sees them. */
	folders: () => Promise<string[]>;
	/** Rows of one query, as text, columns split at tabs. */
	query: (database: string, sql: string, signal?: AbortSignal) => Promise<string[][]>;
}

/** What a client program may need of the container's own environment. Nothing that would make it dial elsewhere. */
const clientVariables = ['PATH', 'PGPORT', 'LANG', 'LC_ALL', 'HOME', 'PGSSLMODE', 'PGSSLCERT', 'PGSSLKEY', 'PGSSLROOTCERT'];

/** What docker exec hands on of the container's environment is an application's, and would lead elsewhere, or change what is said and read (https://www.postgresql.org/docs/current/libpq-envars.html). */
const neutral: Readonly<Record<string, string>> = {
	PGHOSTADDR: '',
	PGOPTIONS: '',
	PGTARGETSESSIONATTRS: 'any',
	PGCHANNELBINDING: 'prefer',
	PGCLIENTENCODING: 'UTF8',
	PG_COLOR: 'never',
};

/** A service names another server, goes before every other variable, and an empty one is looked for, too: `PGSERVICE` must not be there at all. */
export const withoutService = (image: Readonly<Record<string, string>>, argv: Command['argv']): Command['argv'] =>
	image.PGSERVICE === undefined ? argv : ['env', '-u', 'PGSERVICE', ...argv];

/** What a client program says by itself is read; what the server says through it is in the server's own language. */
export const spokenEnglish = {LC_ALL: 'C'};

/** `dbname='…'`: a name can hold anything, and must not be read as a connection string. */
export const connectionString = (database: string) => `dbname='${database.replace(/[\\']/g, String.raw`\$&`)}'`;

export const connectionArguments = (user: string) => ['--no-password', `--username=${user}`] as const;

export const connectionOf = (user: string) => (database: string) =>
	[...connectionArguments(user), `--dbname=${connectionString(database)}`] as const;

export async function connectPostgres(
	engine: Engine,
	container: Pick<Container, 'id' | 'name'>,
	role: string | undefined,
	{signal, port, secret, project}: Inside & {signal?: AbortSignal | undefined} = {},
): Promise<PostgresServer> {
	const details = await detailsOfRunning(engine, container);

	const place = inContainer(engine, container.id);
	const process = await findProcess(engine, container.id, place, signal);
	if (process === undefined) {
		throw new RunError(`no PostgreSQL server runs in container \`${container.name}\``, {
			hint: `correct the label \`${label('postgres')}\`, or see the container's log`,
		});
	}

	const who = await whoDumps(details.env, role, async path => readFileIn(engine, container.id, place, path));
	const {user, unread} = who;
	const {pid, uid, gid, address} = process;
	let {host} = process;
	const env: Record<string, string> = {...variablesOf(details.env, process), ...(port === undefined ? {} : {PGPORT: String(port)})};
	const password = secret === undefined ? passwordOf(who, process) : await secretOf({secret, project}, 'postgres.password-secret');
	if (password !== undefined) {
		env.PGPASSWORD = password;
	}

	const client: Place = async command =>
		place({
			...command,
			argv: withoutService(details.env, command.argv),
			user: `${uid}:${gid}`,
			env: {...env, ...command.env},
			signal: command.signal ?? signal,
		});
	const connection = connectionOf(user);
	const where = `in container \`${container.name}\``;
	const settings = {client, connection, where, hint: unread};
	const query = withSecondWay(queryWith(settings), address, async (...asked) => {
		const further: Place = async command => client({...command, env: {...command.env, PGHOST: address as string}});
		const rows = await queryWith({...settings, client: further})(...asked);
		host = address;
		env.PGHOST = address as string;
		return rows;
	});
	const {maintenance, anywhere} = maintenanceIn(query, [...databasesOf(details.env), user]);
	// Where its process may not be seen, the server says it to superusers.
	const dataFolder = async () => process.dataFolder ?? askDataFolder(anywhere);
	return {
		user,
		where,
		isExternal: false,
		hasShell: process.hasShell,
		connection,
		client,
		assertEnterable() {
			assertOwnPids(details);
			// A dump worker has no network.
			if (host !== undefined && !isSocket(host)) {
				throw new RunError(`it lets the role in by no socket, only at ${host}`);
			}
		},
		fromWorker: (script, scriptArguments, argv) => ({
			argv: enteringArgv({pid, user: `${uid}:${gid}`}, script, scriptArguments, argv),
			env,
		}),
		dataFolder,
		folders: single(async () => {
			const folder = await dataFolder();
			const seen = process.folders.length > 0 ? process.folders : ((await linkedFrom(client, folder)) ?? (await askTablespaces(anywhere)));
			return [...new Set([folder, ...seen])];
		}),
		query,
		maintenance,
		anywhere,
	};
}

/** Its socket may be closed to the role (`local … reject`, `peer` for another user of the system), and its own address open: that is tried until the role was let in once. The socket's refusal is what is said. */
function withSecondWay(
	first: PostgresServer['query'],
	address: string | undefined,
	second: PostgresServer['query'],
): PostgresServer['query'] {
	let wasLetIn = address === undefined;
	return async (...asked) => {
		try {
			const rows = await first(...asked);
			wasLetIn = true;
			return rows;
		} catch (error) {
			if (wasLetIn || !(error instanceof NoSessionError)) {
				throw error;
			}

			const rows = await second(...asked).catch(() => {
				throw error;
			});
			wasLetIn = true;
			return rows;
		}
	};
}

/** A folder, or a name in the abstract namespace. */
const isSocket = (host: string): boolean => host.startsWith('/') || host.startsWith('@');

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What the client programs need to find the server, and to be found. */
function variablesOf(image: Readonly<Record<string, string>>, {programs, host, port, passwordFile}: ServerProcess): Record<string, string> {
	const env: Record<string, string> = {};
	for (const name of clientVariables) {
		if (image[name]) {
			env[name] = image[name];
		}
	}

	// A socket folder of its own is fine; a host would make the client dial out.
	const at = host ?? (image.PGHOST?.startsWith('/') ? image.PGHOST : undefined);
	return {
		...env,
		...Object.fromEntries(Object.entries(neutral).filter(([name]) => image[name] !== undefined)),
		...(programs === undefined ? {} : {PATH: `${image.PATH || defaultPath}:${programs}`}),
		...(at === undefined ? {} : {PGHOST: at}),
		...(port === undefined ? {} : {PGPORT: String(port)}),
		...(passwordFile === undefined ? {} : {PGPASSFILE: passwordFile}),
	};
}

/** libpq looks into the password file only where nobody gives a password: one that may be another role's must not be in its way. */
const passwordOf = ({password, isOwn}: Who, {passwordFile}: ServerProcess): string | undefined =>
	isOwn || passwordFile === undefined ? password || undefined : undefined;

/** Rows of one query. */
export function queryWith({
	client,
	connection,
	where,
	hint,
}: Pick<PostgresServer, 'client' | 'connection' | 'where'> & {hint?: string | undefined}): PostgresServer['query'] {
	return async (database, sql, signal) => {
		const commands = [...ownSession, sql].flatMap(statement => ['-c', statement]);
		const {exitCode, stdout, stderr} = await output(client, {
			argv: ['psql', '-X', '-A', '-t', '-q', '-F', '\t', '-v', 'ON_ERROR_STOP=1', ...connection(database), ...commands],
			signal,
		});
		if (exitCode !== 0) {
			const message = `PostgreSQL ${where} refused: ${lastLines(stderr)}`;
			// 2: there was no session, or it ended.
			throw exitCode === 2 ? new NoSessionError(message, {hint}) : new RunError(message);
		}

		return stdout
			.split('\n')
			.filter(row => row !== '')
			.map(row => row.split('\t'));
	};
}

/** Where what lies in the data directory by links alone really is. Undefined where it cannot be looked at. */
async function linkedFrom(client: Place, folder: string): Promise<string[] | undefined> {
	const {exitCode, stdout} = await output(client, {argv: ['sh', '-c', `cd "$1" && ${linked}`, 'sh', folder]});
	return exitCode === 0 ? stdout.split('\n').filter(Boolean) : undefined;
}

const askTablespaces = async (anywhere: Maintenance['anywhere']): Promise<string[]> =>
	(await anywhere("select to_json(place) from (select pg_tablespace_location(oid) from pg_tablespace) t (place) where place <> ''")).map(
		([folder = '""']) => JSON.parse(folder) as string,
	);

const askDataFolder = async (anywhere: Maintenance['anywhere']): Promise<string> =>
	JSON.parse((await anywhere("select to_json(current_setting('data_directory'))"))[0]?.[0] ?? '""') as string;
