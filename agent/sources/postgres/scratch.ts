/** A PostgreSQL server in a scratch container of the target's own image: the same programs and extensions, nothing of the target's data. */
import {lastLines, printedBy, succeed} from '../../../base/command.ts';
import {explain, RunError} from '../../../base/errors.ts';
import {label} from '../../../base/label.ts';
import type {Container} from '../../../docker/container.ts';
import type {Engine} from '../../../docker/engine.ts';
import {unlessGone} from '../../../docker/refusal.ts';
import {scratchFolder, type Worker} from '../../../docker/worker.ts';
import {readText} from '../read-text.ts';
import {aloneSettings} from './hazards.ts';
import {runSql} from './psql.ts';
import {missingRoles} from './roles.ts';
import type {PostgresServer} from './server.ts';
import {quoteLiteral} from './sql.ts';
import {tablespacesOf} from './tablespaces.ts';

/** The socket is where clients look for it by this. */
export const scratchEnv = {PGHOST: `${scratchFolder}/server`};

/** The superuser of the scratch server, whoever its processes belong to. */
export const scratchUser = 'postgres';

/** The server is thrown away: nothing in it needs to outlive a crash. Jobs of extensions are loaded, and none is run: nor could pg_cron connect. */
const settings = (preloaded: string | null | undefined, database: string) =>
	[
		"listen_addresses = ''",
		`unix_socket_directories = '${scratchEnv.PGHOST}'`,
		'fsync = off',
		'full_page_writes = off',
		'synchronous_commit = off',
		'wal_level = minimal',
		'max_wal_size = 256MB',
		'max_wal_senders = 0',
		'archive_mode = off',
		'autovacuum = off',
		// Nor do jobs of extensions run: their workers, and those that start them.
		'max_worker_processes = 0',
		'logging_collector = off',
		'ssl = off',
		...(hasAlone(preloaded) ? jobless(database) : []),
		...(preloaded ? [`shared_preload_libraries = ${quoteLiteral(preloaded.replaceAll(/[\\\n]/g, ''))}`] : []),
		'',
	].join('\n');

/** Whether it has extensions of which there is one in a server, in the database that a setting names. */
export const hasAlone = (preloaded: string | null | undefined): boolean => preloaded?.includes('pg_cron') === true;

const jobless = (database: string): string[] => [
	...aloneSettings.map(setting => `${setting} = ${quoteSetting(database)}`),
	'cron.launch_active_jobs = off',
	"cron.host = '/nonexistent'",
];

/** `'…'`, for a configuration file, where backslashes are none of their own. */
export const quoteSetting = (text: string): string =>
	quoteLiteral(text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`).replaceAll('\r', String.raw`\r`));

/** `sh -c SCRIPT sh FOLDER MAJOR`, settings on the standard input. The programs may be in the folder where Debian keeps them. */
const start = `PATH=$PATH:/usr/lib/postgresql/$2/bin:/usr/pgsql-$2/bin:/usr/local/pgsql/bin:/opt/bitnami/postgresql/bin
command -v initdb >/dev/null || { echo 'the image has no initdb' >&2; exit 1; }
initdb --pgdata="$1/data" --username=${scratchUser} --auth=trust --encoding=UTF8 --no-locale --no-sync >/dev/null || exit 1
cat >>"$1/data/postgresql.conf"
pg_ctl start --silent --wait --timeout=600 --pgdata="$1/data" --log="$1/log" || { tail -n 5 "$1/log" >&2; exit 1; }`;

const otherImage = (): string => `\`${label('drill.image')}\` names another image of that version which the engine has`;

/** What the engine says of an image that has not the few programs which an idle container needs; every other error as it is. */
export const withoutPrograms = (error: unknown, image: string): unknown =>
	/executable file not found|no such file or directory/.test(explain(error))
		? new RunError(`no scratch container can be made of ${image}: it has no \`sleep\``, {cause: error, hint: otherImage()})
		: error;

interface Wanted {
	image: string;
	/** Of the server that was dumped. */
	major: number;
	preloaded: string | null | undefined;
	/** The name of the database that is rehearsed: extensions of which a server has one are made there. */
	database: string;
	signal: AbortSignal;
}

/** @returns the container, as the loading code wants it, and the user of its processes */
export async function startScratchServer(
	engine: Engine,
	{id, name, run}: Worker,
	{image, major, preloaded, database, signal}: Wanted,
): Promise<{container: Container; owner: string}> {
	const owner = ownerIn(await readText(engine, id, '/etc/passwd').catch(unlessGone));
	if (owner === undefined) {
		throw new RunError(`no server starts in a scratch container of ${image}: it has no user but root in \`/etc/passwd\``, {
			hint: otherImage(),
		});
	}

	await succeed(run, {argv: ['mkdir', '-m', '1777', scratchEnv.PGHOST], user: '0', signal});
	const argv = ['sh', '-c', start, 'sh', scratchEnv.PGHOST, String(major)] as const;
	const running = await run({argv, user: owner, stdin: true, signal});
	running.stdin.end(settings(preloaded, database));
	const [printed, {exitCode, stderr}] = await Promise.all([printedBy(running), running.done]);
	if (exitCode !== 0) {
		throw new RunError(`no server starts in a scratch container of ${image}: ${lastLines(stderr || printed)}`, {hint: otherImage()});
	}

	const container: Container = {
		id,
		name,
		image,
		imageId: image,
		state: 'running',
		createdAt: Date.now(),
		dependsOn: [],
		labels: {},
		mounts: [],
	};
	return {container, owner};
}

/**
 * `uid:gid` of a server's processes. `initdb` refuses root and users without a name; some images run the server as a user that they do not name (Bitnami's 1001).
 * @param passwd undefined: the image has none
 */
export function ownerIn(passwd = ''): string | undefined {
	const users = passwd.split('\n').flatMap(line => {
		const [name = '', , uid = '', gid = ''] = line.split(':');
		return /^\d+$/.test(uid) && /^\d+$/.test(gid) && uid !== '0' ? [{name, is: `${uid}:${gid}`}] : [];
	});
	const [named] = ['postgres', 'nobody'].flatMap(wanted => users.find(({name}) => name === wanted) ?? []);
	return (named ?? users[0])?.is;
}

/** The roles and tablespaces that the dumped server had; these in folders of scratch. */
export async function makeGlobals(
	{run}: Worker,
	server: PostgresServer,
	{globals, owner, signal}: {globals: string; owner: string; signal: AbortSignal},
): Promise<void> {
	const database = 'template1';
	await runSql(server, {database, statements: missingRoles(globals, new Set([scratchUser])), signal});
	for (const [index, name] of tablespacesOf(globals).entries()) {
		const folder = `${scratchEnv.PGHOST}/space-${index}`;
		await succeed(run, {argv: ['mkdir', folder], user: owner, signal});
		await runSql(server, {database, statements: [`create tablespace ${name} location ${quoteLiteral(folder)}`], signal});
	}
}
