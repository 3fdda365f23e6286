/** What a dump does not hold: roles and tablespaces, as SQL that makes them. */
import {output, succeed} from '../../../base/command.ts';
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
	return exitCode === 0 ? stdout : succeed(client, {argv: [...argv, '--no-role-passwords'], env});
}
