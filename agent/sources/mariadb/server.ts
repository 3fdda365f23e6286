/** A MariaDB or MySQL server in a container: its own programs, over its own socket, so that the version always matches. */
import {dirname, join} from 'node:path/posix';
import {type Command, type Place, succeed} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {here} from '../../../base/here.ts';
import {label} from '../../../base/label.ts';
import type {Container} from '../../../docker/container.ts';
import type {Engine} from '../../../docker/engine.ts';
import type {Worker} from '../../../docker/worker.ts';
import {keptByRestore} from '../database-name.ts';
import {assertOwnPids, type Enterable, enteringArgv} from '../entering.ts';
import {readFileIn} from '../read-text.ts';
import {secretOf} from '../secret.ts';
import {type ServerFound, serverInside} from '../server-process.ts';
import {type Address, introduce, quoteLiteral, runSql, ServerRefusal} from './client.ts';
import {type Access, whereOf} from './labels.ts';
import {tellingWho} from './waits.ts';
import {type Login, loginsOf} from './who.ts';

export interface MariadbServer extends Enterable {
	user: string;
	/** Completes "the server …". */
	where: string;
	flavour: 'mariadb' | 'mysql';
	/** `10.11.6-MariaDB-1` */
	version: string;
	/** Paths of its client programs in the container. */
	programs: {client: string; dump: string};
	/** Runs a client program, introduced. */
	client: Place;
	/** Runs any other program of the container, as the server's user. */
	other: Place;
	/** Rows as text. @throws {ServerRefusal} */
	query: (sql: string, database?: string) => Promise<string[][]>;
}

type Where = Pick<Container, 'id' | 'name'>;

export interface Means {
	engine: Engine;
	/** Where the programs for a server elsewhere run. None: here, which is for Holdfast's own SQL. */
	clientWorker?: () => Promise<Pick<Worker, 'run'>>;
	/** How long its SQL waits for a lock that somebody holds. Missing: as long as it may while an application stands still. */
	lockTimeoutMs?: number | undefined;
	signal?: AbortSignal | undefined;
}

/** @throws with what is in the way */
export const connectMariadb = async (means: Means, container: Where, access: Access): Promise<MariadbServer> =>
	access.host === undefined ? connectInside(means, container, access) : connectExternal(means, container, access);

async function connectInside({engine, lockTimeoutMs, signal}: Means, container: Where, access: Access): Promise<MariadbServer> {
	const {details, place, found} = await serverInside(engine, container, {
		names: ['mariadbd', 'mysqld'],
		title: 'MariaDB or MySQL',
		label: 'mariadb',
		signal,
	});
	const path = details.env.PATH || defaultPath;
	const {programs, sockets} = await lookInto(place, {path, found, container: container.name, signal});
	const address = access.port === undefined ? addressOf(found, sockets) : {host: local, port: access.port};
	const password =
		access.secret === undefined ? undefined : await secretOf({secret: access.secret, project: access.project}, 'mariadb.password-secret');
	const {logins, unread} = await loginsOf(details.env, {user: access.user, password}, async file =>
		readFileIn(engine, container.id, place, file),
	);
	const serverUser = `${found.uid}:${found.gid}`;
	const clientOf =
		(login: Login): Place =>
		async command => {
			const {argv, env} = introduce(login, address, command.argv);
			return place({
				...command,
				argv,
				env: {PATH: path, ...env, ...command.env},
				user: login.asRoot ? '0:0' : serverUser,
				signal: command.signal ?? signal,
			});
		};
	const where = whereOf(access, container);
	const {login, version} = await whoIsLetIn(logins, {
		where,
		unread,
		ask: async candidate => runSql(clientOf(candidate), {program: programs.client, sql: 'select version()'}),
	});
	const client = clientOf(login);
	return {
		user: login.user,
		where,
		flavour: flavourOf(version),
		version,
		programs,
		client,
		other: async command => place({...command, user: serverUser, signal: command.signal ?? signal}),
		isExternal: false,
		assertEnterable() {
			assertOwnPids(details);
			// A dump worker has no network.
			if (!('socket' in address)) {
				throw new RunError('it listens on no socket');
			}
		},
		fromWorker(script, scriptArguments, argv) {
			const introduced = introduce(login, address, argv);
			return {
				argv: enteringArgv({pid: found.pid, user: login.asRoot ? '0:0' : serverUser}, script, scriptArguments, introduced.argv),
				env: {PATH: path, ...introduced.env},
			};
		},
		query: queryOf({client, program: programs.client, lockTimeoutMs, signal}),
	};
}

/** Of Holdfast's own image. No plugin of these sends a password as it is but over an encrypted connection, and none asks a person. */
const own = {client: '/usr/local/bin/mariadb', dump: '/usr/local/bin/mariadb-dump', plugins: '/usr/local/lib/mariadb'};

/** The worker is in the agent's network: as nobody, who may have no process more, the program can start nothing. */
const alone = [
	...['/usr/bin/setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'],
	...['/bin/sh', '-c', 'ulimit -p 0 && exec "$@"', 'sh'],
] as const;

/** With the client programs of Holdfast's own image, in a worker that has the agent's network. */
async function connectExternal({clientWorker, lockTimeoutMs, signal}: Means, container: Where, access: Access): Promise<MariadbServer> {
	const {host = '', port = 0, user = 'root', secret, project} = access;
	const where = whereOf(access, container);
	const place = clientWorker === undefined ? here : (await clientWorker()).run;
	const password = secret === undefined ? undefined : await secretOf({secret, project}, 'mariadb.password-secret');
	const login: Login = {user, password, asRoot: false};
	const introduced = (argv: readonly string[]) => {
		const {argv: said, env} = introduce(login, {host, port, plugins: own.plugins}, argv);
		return {argv: (clientWorker === undefined ? said : [...alone, ...said]) as Command['argv'], env};
	};
	const client: Place = async command => {
		const {argv, env} = introduced(command.argv);
		return place({...command, argv, env: {...env, ...command.env}, signal: command.signal ?? signal});
	};
	const {version} = await whoIsLetIn([login], {
		where,
		unread: [],
		ask: async () => runSql(client, {program: own.client, sql: 'select version()', signal}),
	});
	return {
		user,
		where,
		flavour: flavourOf(version),
		version,
		programs: own,
		client,
		async other() {
			throw new RunError(`the files of the server ${where} cannot be seen from here`);
		},
		isExternal: true,
		assertEnterable() {},
		fromWorker(script, scriptArguments, argv) {
			const {argv: said, env} = introduced(argv);
			return {argv: ['/bin/sh', '-c', script, 'sh', ...scriptArguments, ...said], env};
		},
		query: queryOf({client, program: own.client, lockTimeoutMs, signal}),
	};
}

interface Querying extends Pick<Means, 'lockTimeoutMs' | 'signal'> {
	client: Place;
	program: string;
}

function queryOf({client, program, lockTimeoutMs, signal}: Querying): MariadbServer['query'] {
	const lockSeconds = lockTimeoutMs === undefined ? undefined : Math.ceil(lockTimeoutMs / 1000);
	return tellingWho({query: async (sql, database) => runSql(client, {program, sql, database, lockSeconds, signal})}, lockTimeoutMs);
}

const flavourOf = (version: string): MariadbServer['flavour'] => (version.includes('MariaDB') ? 'mariadb' : 'mysql');

const local = '127.0.0.1';

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Paths of the client programs, and then the sockets on which somebody listens. */
const look = `command -v mariadb || command -v mysql || echo
command -v mariadb-dump || command -v mysqldump || echo
cat /proc/net/unix`;

interface Looked {
	path: string;
	found: ServerFound;
	container: string;
	signal: AbortSignal | undefined;
}

async function lookInto(place: Place, {path, found, container, signal}: Looked) {
	const beside = dirname(found.argv[0] ?? '');
	const env = {PATH: beside.startsWith('/') ? `${path}:${beside}:${join(beside, '../bin')}` : path};
	const [client = '', dump = '', ...listening] = (await succeed(place, {argv: ['sh', '-c', look], env, user: '0', signal})).split('\n');
	if (client === '' || dump === '') {
		throw new RunError(
			`container \`${container}\` lacks ${client === '' ? 'the client program `mariadb` (or `mysql`)' : '`mariadb-dump` (or `mysqldump`)'}`,
			{
				hint: 'use an image that has it, as the official ones do',
			},
		);
	}

	const sockets = listening.flatMap(line => /^\S+ \S+ \S+ 00010000 \S+ 01 +\d+ (\/.*(?:mysql|mariadb)[^/]*\.sock)$/.exec(line)?.[1] ?? []);
	return {programs: {client, dump}, sockets: sockets.filter(socket => !socket.includes('mysqlx'))};
}

function addressOf({argv}: ServerFound, sockets: readonly string[]): Address {
	const said = (name: string) => argv.findLast(argument => argument.startsWith(`--${name}=`))?.slice(name.length + 3);
	const named = said('socket');
	const socket = named?.startsWith('/') ? named : sockets[0];
	return socket === undefined ? {host: local, port: Number(said('port') ?? 3306)} : {socket};
}

/** Access denied, in each of the ways that servers say it. */
const denied = [1044, 1045, 1130, 1698, 1862, 4151];

interface Trial {
	where: string;
	unread: readonly string[];
	ask: (login: Login) => Promise<string[][]>;
}

async function whoIsLetIn(logins: readonly Login[], {where, unread, ask}: Trial): Promise<{login: Login; version: string}> {
	const refusals: string[] = [];
	for (const login of logins) {
		try {
			const [[version = ''] = []] = await ask(login);
			return {login, version};
		} catch (error) {
			if (!(error instanceof ServerRefusal && denied.includes(error.code))) {
				throw error;
			}

			refusals.push(`\`${login.user}\` with ${login.password === undefined ? 'no password' : 'the password that is known'}`);
		}
	}

	throw new RunError(`the server ${where} lets nobody in whom Holdfast knows: ${[...refusals, ...unread].join('; ')}`, {
		hint: `say who dumps: \`${label('mariadb.user')}\`, \`${label('mariadb.password-secret')}\``,
	});
}

const ofServer = ['information_schema', 'performance_schema', 'mysql', 'sys'];

export const notOfServer = (column: string): string => `${column} not in (${ofServer.map(quoteLiteral).join(', ')})`;

/** A folder of the data directory whose name no server gave: `@eaDir`, `.snapshot`, `lost+found`. Servers show it as a database, and some do not know it by that name. */
const noFolder = "(schema_name not like '#mysql50#%' or exists (select 1 from information_schema.tables where table_schema = schema_name))";

/** But those of the server itself, and what a restore keeps. */
export const listDatabases = async ({query}: Pick<MariadbServer, 'query'>): Promise<string[]> =>
	(await query(`select schema_name from information_schema.schemata where ${notOfServer('lower(schema_name)')} and ${noFolder} order by 1`))
		.flatMap(([name]) => name ?? [])
		.filter(name => !keptByRestore.test(name));

/** The data directory, and what else is the server's own: logs and tablespaces that lie elsewhere. As its container sees them; none of a server elsewhere. */
export async function serverFolders({query, isExternal}: MariadbServer): Promise<string[]> {
	if (isExternal) {
		return [];
	}

	const [[data = '', ...further] = []] = await query(
		"select @@datadir, coalesce(@@innodb_data_home_dir, ''), coalesce(@@innodb_log_group_home_dir, ''), coalesce(@@innodb_undo_directory, ''), coalesce(@@log_bin_basename, '')",
	);
	const logs = dirname(further.pop() ?? '');
	const folders = [data, ...[...further, logs].filter(Boolean).map(folder => (folder.startsWith('/') ? folder : join(data, folder)))];
	return [...new Set(folders.map(folder => folder.replace(/(?<=.)\/$/, '')))].filter(folder => folder.startsWith('/'));
}
