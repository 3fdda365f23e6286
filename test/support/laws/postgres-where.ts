/** Servers as people run them: their role, password, port, socket, programs and databases are found where they are. */
import {randomBytes} from 'node:crypto';
import type {ExecutionContext, TestFn} from 'ava';
import {askPostgres} from '../../../agent/sources/postgres/ask.ts';
import {describeServer} from '../../../agent/sources/postgres/describe.ts';
import {dumpGlobals} from '../../../agent/sources/postgres/globals.ts';
import {connectPostgres} from '../../../agent/sources/postgres/server.ts';
import type {Container} from '../../../docker/container.ts';
import {connectEngine, type Engine} from '../../../docker/engine.ts';
import {docker} from '../docker.ts';
import {ensureEngine} from '../engine.ts';
import {ensureImage} from '../images.ts';
import {until} from '../until.ts';
import {some} from './cover.ts';

const scram = '--auth-local=scram-sha-256';
const fill = "create table marks (mark text); insert into marks values ('found')";

interface Server {
	/** Of `docker run`, before the image. */
	options?: readonly string[];
	/** `bash -c`: what becomes the server. None: the image's own way. */
	script?: string;
	/** The server's arguments. */
	settings?: readonly string[];
	/** `psql`, as a person would call it in there. */
	psql: readonly string[];
	/** Once it runs, as root. */
	afterwards?: string;
	role?: string;
	database?: string;
	/** A supervisor is the container's first process. */
	isSupervised?: true;
}

async function start(
	t: ExecutionContext,
	{options = [], script, settings = [], psql, afterwards, database = 'shop', isSupervised}: Server,
): Promise<string> {
	await ensureEngine();
	const image = await ensureImage('postgres:17');
	const name = `hf-test-${randomBytes(4).toString('hex')}`;
	const argv = script === undefined ? [image, 'postgres', ...settings] : ['--entrypoint', 'bash', image, '-c', script];
	t.teardown(async () => docker(['rm', '--force', '--volumes', name]));
	await docker(['run', '--detach', '--name', name, '--label', 'holdfast-test=where', ...options, ...argv]);
	const run = async (sql: string) => docker(['exec', name, ...psql, '-XAtq', '-d', database, '-c', sql]);
	// The image's own first start has a server that goes again; the one that stays is the container's first process
	const isFirstProcess = "select split_part(pg_read_file('postmaster.pid'), chr(10), 1)";
	await until('the database answers', async () => (await run(isFirstProcess)).trim() === '1' || isSupervised, {timeout: 240_000});
	await run(fill);
	if (afterwards !== undefined) {
		await docker(['exec', '--user', '0', name, 'bash', '-c', afterwards]);
	}

	return name;
}

const secrets = (script: string) =>
	`mkdir -p /secrets; printf 'boss' >/secrets/u; printf 'hunter2\\n' >/secrets/p; chmod 644 /secrets/*; exec ${script}`;
/** Like the official image, whose own sessions at its first start have the password. */
const entrypoint = 'env PGPASSWORD=hunter2 docker-entrypoint.sh postgres';
const overTcp = (user: string, password: string, port = '5432') => [
	'env',
	`PGPASSWORD=${password}`,
	'psql',
	'-h',
	'127.0.0.1',
	'-p',
	port,
	'-U',
	user,
];

const servers: Record<string, Server> = {
	'role and password in files, scram on the socket': {
		options: [
			...['-e', 'POSTGRES_USER_FILE=/secrets/u', '-e', 'POSTGRES_PASSWORD_FILE=/secrets/p'],
			...['-e', 'POSTGRES_DB=shop', '-e', `POSTGRES_INITDB_ARGS=${scram}`],
		],
		script: secrets(entrypoint),
		psql: overTcp('boss', 'hunter2'),
	},
	'the port is on the command line': {
		options: ['-e', 'POSTGRES_PASSWORD=x', '-e', 'POSTGRES_DB=shop'],
		settings: ['-c', 'port=5433'],
		psql: ['psql', '-p', '5433', '-U', 'postgres'],
	},
	'the socket is elsewhere': {
		options: ['-e', 'POSTGRES_PASSWORD=x', '-e', 'POSTGRES_DB=shop'],
		settings: ['-c', 'unix_socket_directories=/tmp'],
		psql: ['psql', '-h', '/tmp', '-U', 'postgres'],
	},
	'there is no socket': {
		options: ['-e', 'POSTGRES_PASSWORD=x', '-e', 'POSTGRES_DB=shop'],
		settings: ['-c', 'unix_socket_directories='],
		psql: overTcp('postgres', 'x'),
	},
	"Bitnami's variables": {
		options: [
			...['-e', 'POSTGRESQL_USERNAME=shop', '-e', 'POSTGRESQL_PASSWORD=of-the-shop'],
			...['-e', 'POSTGRESQL_DATABASE=shop', '-e', 'POSTGRESQL_POSTGRES_PASSWORD_FILE=/secrets/p'],
		],
		script: secrets(`env POSTGRES_DB=shop POSTGRES_PASSWORD=hunter2 POSTGRES_INITDB_ARGS=${scram} ${entrypoint}`),
		psql: overTcp('postgres', 'hunter2'),
	},
	'a password file of the user': {
		script: `echo '*:*:*:postgres:hunter2' >/var/lib/postgresql/.pgpass; chown postgres /var/lib/postgresql/.pgpass; chmod 600 /var/lib/postgresql/.pgpass; exec env POSTGRES_DB=shop POSTGRES_PASSWORD=hunter2 POSTGRES_INITDB_ARGS=${scram} ${entrypoint}`,
		psql: overTcp('postgres', 'hunter2'),
	},
	'no database `postgres`, and a template that lets nobody in': {
		options: ['-e', 'POSTGRES_PASSWORD=x', '-e', 'POSTGRES_DB=shop'],
		psql: ['psql', '-U', 'postgres'],
		afterwards: `psql -U postgres -d shop -c 'drop database postgres' -c 'alter database template1 allow_connections false'`,
	},
	'a user without a name': {
		script: `chown -R 1234:1234 /var/run/postgresql; setpriv --reuid=postgres --regid=postgres --clear-groups initdb -D /tmp/data -U postgres >/dev/null; chown -R 1234:1234 /tmp/data
			exec setpriv --reuid=1234 --regid=1234 --clear-groups postgres -D /tmp/data`,
		psql: ['psql', '-U', 'postgres'],
		database: 'postgres',
	},
	'the socket is closed to the role': {
		options: ['-e', 'POSTGRES_PASSWORD=x', '-e', 'POSTGRES_DB=shop'],
		psql: overTcp('postgres', 'x'),
		afterwards: `sed -i '/^local/d; s/trust$/scram-sha-256/' "$PGDATA/pg_hba.conf"; echo 'local all all reject' >>"$PGDATA/pg_hba.conf"; kill -HUP 1`,
	},
	'nobody is let in without a certificate': {
		options: [
			...['-e', 'POSTGRES_PASSWORD=x', '-e', 'POSTGRES_DB=shop'],
			...['-e', 'PGSSLCERT=/var/lib/postgresql/client/certificate', '-e', 'PGSSLKEY=/var/lib/postgresql/client/key'],
		],
		psql: ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', ...overTcp('postgres', 'x')],
		afterwards: `mkdir /var/lib/postgresql/client; cd /var/lib/postgresql/client; openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=postgres -keyout key -out certificate 2>/dev/null
			cp certificate "$PGDATA/root.crt"; cp certificate "$PGDATA/server.crt"; cp key "$PGDATA/server.key"; chmod 600 key "$PGDATA/server.key"; chown postgres . * "$PGDATA"/*.crt "$PGDATA"/*.key
			printf "ssl = on\\nssl_ca_file = 'root.crt'\\n" >>"$PGDATA/postgresql.conf"; printf 'local all all reject\\nhostssl all all all cert\\n' >"$PGDATA/pg_hba.conf"; kill -HUP 1`,
	},
	'the socket knows the user of the system by a map': {
		options: ['-e', 'POSTGRES_USER=boss', '-e', 'POSTGRES_PASSWORD=x', '-e', 'POSTGRES_DB=shop'],
		psql: overTcp('boss', 'x'),
		afterwards: `echo 'keepers postgres boss' >>"$PGDATA/pg_ident.conf"; sed -i '/^local/d' "$PGDATA/pg_hba.conf"; echo 'local all all peer map=keepers' >>"$PGDATA/pg_hba.conf"; kill -HUP 1`,
	},
	"an application's variables": {
		options: [
			...[
				'-e',
				'POSTGRES_PASSWORD=x',
				'-e',
				'POSTGRES_DB=shop',
				'-e',
				`POSTGRES_INITDB_ARGS=${scram}`,
				'-e',
				'PGHOST=db',
				'-e',
				'PGPORT=6432',
			],
			...['-e', 'PGHOSTADDR=203.0.113.1', '-e', 'PGOPTIONS=-c search_path=none', '-e', 'PGTARGETSESSIONATTRS=standby'],
			...[
				'-e',
				'PGCHANNELBINDING=require',
				'-e',
				'PGCLIENTENCODING=latin1',
				'-e',
				'PG_COLOR=always',
				'-e',
				'PGDATABASE=none',
				'-e',
				'PGCONNECT_TIMEOUT=2',
				'-e',
				'PGSERVICE=elsewhere',
			],
		],
		script: `exec env -u PGSERVICE PGPASSWORD=x PGHOST= PGHOSTADDR= PGPORT=5432 PGTARGETSESSIONATTRS=any PGCHANNELBINDING=prefer PGOPTIONS= docker-entrypoint.sh postgres`,
		psql: [
			'env',
			'-u',
			'PGSERVICE',
			'PGHOSTADDR=',
			'PGOPTIONS=',
			'PGTARGETSESSIONATTRS=any',
			'PGCHANNELBINDING=prefer',
			...overTcp('postgres', 'x'),
		],
	},
	'below a supervisor, as Spilo has it': {
		options: [
			'-e',
			'PGVERSION=17',
			'-e',
			'PGROOT=/home/postgres/pgdata/pgroot',
			'-e',
			'PGPASSWORD_SUPERUSER=x',
			'--volume',
			'/home/postgres/pgdata',
		],
		script: `install --directory --owner=postgres $PGROOT; as() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
			as initdb -D $PGROOT/data -U postgres >/dev/null; as /usr/lib/postgresql/17/bin/postgres -D $PGROOT/data --port=5432 --cluster_name=shop --unix_socket_directories=/tmp & while :; do wait -n; done`,
		psql: ['psql', '-h', '/tmp', '-U', 'postgres'],
		database: 'postgres',
		isSupervised: true,
	},
	'no shell': {
		options: ['-e', 'POSTGRES_PASSWORD=x', '-e', 'POSTGRES_DB=shop'],
		settings: ['-c', 'port=5434'],
		psql: ['psql', '-p', '5434', '-U', 'postgres'],
		afterwards: 'rm /bin/sh /bin/dash',
	},
	'programs in an odd place': {
		options: ['-e', 'POSTGRES_PASSWORD=x', '-e', 'POSTGRES_DB=shop'],
		psql: ['/opt/odd/bin/psql', '-U', 'postgres'],
		script: `mkdir /opt/odd; cp -r /usr/lib/postgresql/17/* /opt/odd; export PATH=/opt/odd/bin:$PATH; rm -r /usr/lib/postgresql/17 /usr/bin/psql /usr/bin/pg_*; exec ${entrypoint}`,
	},
};

/** Declares a test for each of them, or by day for some, others for each commit. */
export function findServers(test: TestFn, {isWhole}: {isWhole: boolean}): void {
	for (const [title, server] of some(Object.entries(servers), {isWhole, count: 4, nameOf: ([name]) => name})) {
		test.serial(title, async t => {
			const name = await start(t, server);
			const database = server.database ?? 'shop';
			const reached = await connectPostgres(connectEngine('/var/run/docker.sock'), {id: name, name}, server.role);
			t.true((await describeServer(reached)).databases.open.includes(database));
			await reached.query(database, 'create role "größe"');
			t.regex(await dumpGlobals(reached, database), /CREATE ROLE "größe"/);
			t.deepEqual(await reached.query(database, 'select mark from public.marks'), [['found']]);
			const folder = await docker(['exec', name, ...server.psql, '-XAtq', '-d', database, '-c', 'show data_directory']);
			t.is(await reached.dataFolder(), folder);
			await askedTwice(t, name, server);
		});
	}
}

/** Who and where a server is, is looked for once: from then on it is one command to ask it, or two where no shell says its number. */
async function askedTwice(t: ExecutionContext, name: string, {role, database = 'shop'}: Server): Promise<void> {
	const engine = connectEngine('/var/run/docker.sock');
	let commands = 0;
	const counting: Engine = {
		...engine,
		async exec(id, options) {
			commands += 1;
			return engine.exec(id, options);
		},
	};
	const container = (await engine.list()).find(candidate => candidate.name === name);
	t.assert(container);
	const ask = async () =>
		askPostgres(
			{container: container as Container, policy: {databases: 'all', user: role, format: 'custom', exclude: []}},
			{engine: counting},
		);
	const first = await ask();
	const atFirst = commands;
	t.true(first?.databases.open.includes(database));
	t.deepEqual(await ask(), first);
	t.true(commands - atFirst <= 2, `${commands - atFirst} commands`);
	t.log(`${atFirst} commands at first, then ${commands - atFirst}`);
}
