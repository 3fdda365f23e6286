/** A PostgreSQL server in a scratch container of the target's own image: the same programs and extensions, nothing of the target's data. */
import {text} from 'node:stream/consumers';
import {lastLines, succeed} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import type {Container} from '../../../docker/container.ts';
import {scratchFolder, type Worker} from '../../../docker/worker.ts';
import {runSql} from './psql.ts';
import {missingRoles, splitStatements} from './roles.ts';
import {type PostgresServer, quoteLiteral} from './server.ts';

/** The socket is where clients look for it by this. */
export const scratchEnv = {PGHOST: `${scratchFolder}/server`};

/** The superuser of the scratch server. */
export const scratchUser = 'postgres';

/** The server is thrown away: nothing in it needs to outlive a crash. */
const settings = (preloaded: string | null | undefined) =>
	[
		"listen_addresses = ''",
		`unix_socket_directories = '${scratchEnv.PGHOST}'`,
		'fsync = off',
		'full_page_writes = off',
		'synchronous_commit = off',
		'wal_level = minimal',
		'max_wal_senders = 0',
		'archive_mode = off',
		'autovacuum = off',
		'logging_collector = off',
		'ssl = off',
		...(preloaded ? [`shared_preload_libraries = ${quoteLiteral(preloaded.replaceAll(/[\\\n]/g, ''))}`] : []),
		'',
	].join('\n');

/** `sh -c SCRIPT sh FOLDER MAJOR`, settings on the standard input. The programs may be in the folder where Debian keeps them. */
const start = `PATH=$PATH:/usr/lib/postgresql/$2/bin:/usr/pgsql-$2/bin:/usr/local/pgsql/bin:/opt/bitnami/postgresql/bin
command -v initdb >/dev/null || { echo 'the image has no initdb' >&2; exit 1; }
initdb --pgdata="$1/data" --username=${scratchUser} --auth=trust --encoding=UTF8 --no-locale --no-sync >/dev/null || exit 1
cat >>"$1/data/postgresql.conf"
pg_ctl start --silent --wait --timeout=600 --pgdata="$1/data" --log="$1/log" || { tail -n 5 "$1/log" >&2; exit 1; }`;

interface Wanted {
	image: string;
	/** Of the server that was dumped. */
	major: number;
	preloaded: string | null | undefined;
	signal: AbortSignal;
}

/** @returns the container, as the loading code wants it */
export async function startScratchServer({id, name, run}: Worker, {image, major, preloaded, signal}: Wanted): Promise<Container> {
	await succeed(run, {argv: ['mkdir', '-m', '1777', scratchEnv.PGHOST], user: '0', signal});
	const argv = ['sh', '-c', start, 'sh', scratchEnv.PGHOST, String(major)] as const;
	const running = await run({argv, user: scratchUser, stdin: true, signal});
	running.stdin.end(settings(preloaded));
	const [printed, {exitCode, stderr}] = await Promise.all([text(running.stdout), running.done]);
	if (exitCode !== 0) {
		throw new RunError(`no server starts in a scratch container of ${image}: ${lastLines(stderr || printed)}`);
	}

	return {id, name, image, imageId: image, state: 'running', createdAt: Date.now(), dependsOn: [], labels: {}, mounts: []};
}

const tablespace = /^CREATE TABLESPACE ("(?:[^"]|"")*"|[a-z_][a-z0-9_$]*) /;

/** The roles and tablespaces that the dumped server had; these in folders of scratch. */
export async function makeGlobals({run}: Worker, server: PostgresServer, globals: string, signal: AbortSignal): Promise<void> {
	const database = 'template1';
	await runSql(server, {database, statements: missingRoles(globals, new Set([scratchUser])), signal});
	const names = splitStatements(globals).flatMap(statement => tablespace.exec(statement)?.[1] ?? []);
	for (const [index, name] of names.entries()) {
		const folder = `${scratchEnv.PGHOST}/space-${index}`;
		await succeed(run, {argv: ['mkdir', folder], user: scratchUser, signal});
		await runSql(server, {database, statements: [`create tablespace ${name} location ${quoteLiteral(folder)}`], signal});
	}
}
