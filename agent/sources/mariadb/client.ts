/** The client programs of a MariaDB server: how they are told who they are, and how what they print is read. */
import {setTimeout as delay} from 'node:timers/promises';
import {type Command, lastLines, type Place, printedBy} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import type {Login} from './who.ts';

/** Beside the login: a socket of the container, or a port, there or of another host. */
export type Address = {socket: string} | {host: string; port: number; plugins?: string};

const variable = 'HOLDFAST_LOGIN';

/**
 * `sh -c SCRIPT sh PROGRAM …`: the program reads who it is from a pipe, which is no file on any disk, no argument, and not in its environment.
 * It must run as the user that the program runs as: a pipe is opened by its maker only.
 */
const introduced = `login=$${variable}; unset ${variable}
exec 3<<END
$login
END
exec "$@"`;

/** For a value in an option file (https://mariadb.com/kb/en/configuring-mariadb-with-option-files/#option-file-syntax). */
const optionValue = (value: string): string =>
	`"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')}"`;

/** Not every client knows all of these. A server may ask a client for files of its own. */
const ofNetwork = ['loose-local-infile=0', 'loose-connect-timeout=10'];

/**
 * From 11.4 on clients refuse a certificate that they do not know, which is what most servers have: the connection is encrypted where the server offers it. They do so on
 * sockets, too, where the server has a certificate: https://github.com/MariaDB/mariadb-docker/issues/592
 */
const unverified = 'loose-ssl-verify-server-cert=0';

export function introduce({user, password}: Login, address: Address, argv: readonly string[]): Required<Pick<Command, 'argv' | 'env'>> {
	const [program = '', ...rest] = argv;
	const lines = [
		'[client]',
		`user=${optionValue(user)}`,
		...(password === undefined ? [] : [`password=${optionValue(password)}`]),
		...('socket' in address
			? ['protocol=socket', `socket=${optionValue(address.socket)}`, unverified]
			: [
					'protocol=tcp',
					`host=${optionValue(address.host)}`,
					`port=${address.port}`,
					unverified,
					...ofNetwork,
					...(address.plugins === undefined ? [] : [`plugin-dir=${address.plugins}`]),
				]),
	];
	return {
		argv: ['/bin/sh', '-c', introduced, 'sh', program, '--defaults-file=/dev/fd/3', ...rest],
		env: {[variable]: lines.join('\n')},
	};
}

/** More than any statement is, and what clients take at most. */
export const largestPacket = 1024 ** 3;

/**
 * What a server may have set for everybody, and would end a session, hide rows from it, or take back what it did. MySQL takes what begins with
 * `M` for a comment.
 */
const unhindered = [
	'/*M!100100 set session max_statement_time = 0 */',
	'/*M!100300 set session idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0, idle_write_transaction_timeout = 0 */',
	'set session autocommit = 1, completion_type = 0, sql_select_limit = 18446744073709551615, sql_safe_updates = 0',
	'set session transaction isolation level repeatable read, read write',
].join('; ');

/** How long a session waits for a lock of the server's catalogs: applications may stand still meanwhile. */
const shortWaitSeconds = 20;

const ownSession = (lockSeconds: number): string =>
	`${unhindered}; set session lock_wait_timeout = ${lockSeconds}, sql_mode = '', foreign_key_checks = 1;`;

/** Before the content of a dump, which says the rest itself. What is there was taken once: rows that a later rule forbids, and formats that are warned of. */
export const loadSession = `${unhindered}; set session lock_wait_timeout = ${shortWaitSeconds}, wait_timeout = 28800, net_read_timeout = 600, net_write_timeout = 600; /*M!100201 set session check_constraint_checks = 0, innodb_strict_mode = 0 */;`;

/** Reads SQL from its standard input, stops at the first error, and obeys nothing but SQL and `delimiter`. */
export const batch = [
	'--batch',
	'--skip-column-names',
	'--binary-mode',
	'--default-character-set=utf8mb4',
	'--max-allowed-packet=1G',
] as const;

/** `` `…` ``, for SQL. */
export const quoteIdentifier = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

/** For SQL, in any `sql_mode`. */
export const quoteLiteral = (value: string): string => (value === '' ? "''" : `_utf8mb4 0x${Buffer.from(value).toString('hex')}`);

/** As `--batch` prints a value. */
const unescapeValue = (value: string): string =>
	value.replaceAll(/\\([ntr0\\])/g, (_, letter: string) => ({n: '\n', t: '\t', r: '\r', '0': '\0'})[letter] ?? '\\');

/** Some clients print the statement before it, which may be long, or hold a secret. */
const refusalIn = (said: string): string => lastLines(/^ERROR .*/ms.exec(said)?.[0] ?? said);

export class ServerRefusal extends RunError {
	/** The server's own number, as in `ERROR 1045 (28000)`. */
	readonly code: number;

	constructor(said: string, what = 'the server refused') {
		super(`${what}: ${refusalIn(said)}`);
		this.code = Number(/^ERROR (\d+)/m.exec(said)?.[1] ?? 0);
	}
}

/** All sessions are in use, of the server or of the account: nothing of what was said was heard. https://mariadb.com/kb/en/mariadb-error-code-reference/ */
const crowded = [1040, 1203, 1226];

const crowdedMs = {limit: 30_000, pause: 500};

interface Said {
	program: string;
	sql: string;
	database?: string | undefined;
	/** How long it waits for a lock: whole seconds. Missing: 20. */
	lockSeconds?: number | undefined;
	signal?: AbortSignal | undefined;
}

/** A server that has no session left is asked again for a while: where the applications have all but one, Holdfast's own come one after the other. @returns rows as text @throws {ServerRefusal} */
export async function runSql(client: Place, said: Said, limitMs = crowdedMs.limit): Promise<string[][]> {
	const deadline = Date.now() + limitMs;
	for (;;) {
		try {
			return await runOnce(client, said);
		} catch (error) {
			if (!(error instanceof ServerRefusal && crowded.includes(error.code)) || Date.now() >= deadline) {
				throw error;
			}
		}

		await delay(crowdedMs.pause, undefined, said.signal && {signal: said.signal});
	}
}

async function runOnce(client: Place, {program, sql, database, lockSeconds = shortWaitSeconds, signal}: Said): Promise<string[][]> {
	const running = await client({
		argv: [program, ...batch, ...(database === undefined ? [] : [`--database=${database}`])],
		stdin: true,
		signal,
	});
	running.stdin.end(`${ownSession(lockSeconds)}\n${sql}\n;\n`);
	const [printed, {exitCode, stderr}] = await Promise.all([printedBy(running), running.done]);
	if (exitCode !== 0) {
		throw new ServerRefusal(stderr);
	}

	return printed
		.split('\n')
		.filter(row => row !== '')
		.map(row => row.split('\t').map(unescapeValue));
}
