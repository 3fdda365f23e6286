/** SQL that is handed to psql through its standard input: it may hold secrets, and is longer than an argument may be. */
import {lastLines, output, printedBy} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import type {PostgresServer} from './server.ts';
import {optionsSql, untimed} from './timeouts.ts';
import {unspoken} from './unspoken.ts';

export interface Script {
	database: string;
	/** Each ends without a semicolon. */
	statements: readonly string[];
	/** psql's own, for SQL that a person wrote. */
	variables?: Readonly<Record<string, string>>;
	signal?: AbortSignal | undefined;
}

/** Stops at the first error. @returns what it printed: rows as text, columns split at tabs */
export async function runSql(server: PostgresServer, {database, statements, variables = {}, signal}: Script): Promise<string> {
	const settings = Object.entries({ON_ERROR_STOP: '1', ...variables}).flatMap(([name, value]) => ['-v', `${name}=${value}`]);
	const running = await server.client({
		argv: ['psql', '-X', '-A', '-t', '-q', '-F', '\t', ...settings, ...server.connection(database), '-f', '-'],
		stdin: true,
		signal,
	});
	running.stdin.end([...untimed, "set client_encoding = 'UTF8'", ...statements].map(statement => `${statement}\n;\n`).join(''));
	const [printed, {exitCode, stderr}] = await Promise.all([printedBy(running), running.done]);
	if (exitCode !== 0) {
		throw new RunError(`PostgreSQL refused: ${unspoken(lastLines(stderr))}`);
	}

	return printed;
}

/** The environment in which programs that speak SQL of their own have sessions that nothing ends. Asked of the server: one that does not know a setting refuses the connection. */
export async function untimedEnvironment(server: PostgresServer, database: string): Promise<Record<string, string>> {
	const env = {PGOPTIONS: (await server.query(database, optionsSql))[0]?.[0] ?? ''};
	if (!server.isExternal) {
		return env;
	}

	// A pooler on the way may refuse them: then the settings of the role hold.
	const {exitCode} = await output(server.client, {argv: ['psql', '-X', '-q', ...server.connection(database), '-c', 'select'], env});
	return exitCode === 0 ? env : {};
}
