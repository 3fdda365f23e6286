/** What a dump does not hold: roles and tablespaces, as SQL that makes them. */
import {output, succeed} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {untimedEnvironment} from './psql.ts';
import {connectionString, type PostgresServer} from './server.ts';

export async function dumpGlobals(server: PostgresServer, database: string, quoting: readonly string[] = []): Promise<string> {
	const {client, user} = server;
	// By itself it would want to connect to `postgres`.
	const argv = [
		'pg_dumpall',
		'--globals-only',
		...quoting,
		'--no-password',
		`--username=${user}`,
		`--database=${connectionString(database)}`,
	] as const;
	const env = await untimedEnvironment(server, database);
	const {exitCode, stdout} = await output(client, {argv, env});
	// Only a superuser may read the passwords of the roles.
	return exitCode === 0
		? stdout
		: succeed(client, {argv: [...argv, '--no-role-passwords'], env}).catch((error: unknown) => {
				// It asks `pg_dump` for its version through a shell (`popen`).
				const isShellMissing = error instanceof Error && /needed by pg_dumpall but was not found/.test(error.message);
				throw isShellMissing ? new RunError(`${server.where} there is no \`/bin/sh\`, which pg_dumpall needs`, {cause: error}) : error;
			});
}
