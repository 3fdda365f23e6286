/** A part of a staged dump is loaded into a database. */

import {pipeline} from 'node:stream/promises';
import {type Place, printedBy, type Running} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {size} from '../../../base/units.ts';
import {batch, largestPacket, loadSession, ServerRefusal} from './client.ts';
import type {MariadbServer} from './server.ts';

/**
 * The part, and after it, only if it was read whole, a word that the client then says: a client that was handed half of a dump would exit 0.
 */
const read = `printf '%s\\n' "$first"; dd if="$file" iflag=skip_bytes,count_bytes skip="$skip" count="$bytes" bs=1M status=none && printf "\\nselect 'holdfast: whole';\\n"`;

/** `sh -c SCRIPT sh FILE SKIP BYTES SQL`: the SQL comes first. */
const part = `file=$1 skip=$2 bytes=$3 first=$4; ${read}`;

/** `sh -c SCRIPT sh FILE SKIP BYTES SQL PROGRAM …` */
const partInto = `file=$1 skip=$2 bytes=$3 first=$4; shift 4; { ${read}; } | "$@"`;

interface Loaded {
	server: MariadbServer;
	/** Has the file. */
	worker: Place;
	/** Enters the server's container; none: through the agent. */
	inside: Place | undefined;
	file: string;
	skip: number;
	bytes: number;
	database: string;
	signal: AbortSignal;
}

/** @throws at the first error of the server, and where not all of it was loaded */
export async function loadPart(loaded: Loaded): Promise<void> {
	if (loaded.bytes === 0) {
		return;
	}

	const {server, signal} = loaded;
	const {before, after, limit} = await widen(server);
	const distrust = await trust(server);
	try {
		await load(loaded, `${after}${loadSession}${await unkeyed(server)}`);
	} catch (error) {
		signal.throwIfAborted();
		throw error instanceof ServerRefusal && tooLong.includes(error.code)
			? new RunError(error.message, {
					hint: `the server takes statements of ${size(limit)}, and the dump may have longer ones: raise its \`max_allowed_packet\``,
				})
			: error;
	} finally {
		if (before) {
			await server.query(after).catch(() => {});
		}

		await distrust();
	}
}

/** A packet too large, or the session ended in the middle of one: https://mariadb.com/kb/en/mariadb-error-code-reference/ */
const tooLong = [1153, 2006, 2013, 2020];

/**
 * A row in a dump may be twice as long as it is: longer than what the server took once. A session has what holds for all when it begins, so that is raised for
 * this instant, where the account may; the session itself puts it back first of all.
 */
async function widen({query}: MariadbServer): Promise<{before: boolean; after: string; limit: number}> {
	const [[text = ''] = []] = await query('select @@global.max_allowed_packet');
	const limit = Number(text);
	if (!(limit < largestPacket)) {
		return {before: false, after: '', limit};
	}

	return query(`set global max_allowed_packet = ${largestPacket}`).then(
		() => ({before: true, after: `set global max_allowed_packet = ${limit};`, limit: largestPacket}),
		() => ({before: false, after: '', limit}),
	);
}

/**
 * A server with a binary log takes no function that may write, or say something else each time, if it does not say so, but with this setting, which is for all: what is there was taken
 * once. For the time of the loading, where the account may.
 *
 * @returns puts it back
 */
async function trust({query}: MariadbServer): Promise<() => Promise<void>> {
	const [[isLogged, isTrusting] = []] = await query('select @@log_bin, @@global.log_bin_trust_function_creators').catch(() => []);
	const set = async (value: 0 | 1) => query(`set global log_bin_trust_function_creators = ${value}`);
	return isLogged === '1' && isTrusting === '0'
		? set(1).then(
				() => async () => {
					await set(0).catch(() => {});
				},
				() => async () => {},
			)
		: async () => {};
}

/** Tables without a primary key were taken once. Only where it is forbidden now: not every account may say so (https://dev.mysql.com/doc/refman/8.0/en/server-system-variables.html#sysvar_sql_require_primary_key). */
async function unkeyed({flavour, query}: MariadbServer): Promise<string> {
	const [[, value = ''] = []] = flavour === 'mysql' ? await query("show variables like 'sql\\_require\\_primary\\_key'") : [];
	return value === 'ON' ? ' set session sql_require_primary_key = 0;' : '';
}

async function load({server, worker, inside, file, skip, bytes, database, signal}: Loaded, first: string): Promise<void> {
	const argv = [server.programs.client, ...batch, `--database=${database}`] as const;
	const place = [file, String(skip), String(bytes), first];
	let running: Running;
	if (inside === undefined) {
		running = await server.client({argv, stdin: true, signal});
		const reading = await worker({argv: ['sh', '-c', part, 'sh', ...place], signal});
		pipeline(reading.stdout, running.stdin).catch(async () => reading.kill());
	} else {
		running = await inside({...server.fromWorker(partInto, place, argv), signal});
	}

	const [said, {exitCode, stderr}] = await Promise.all([printedBy(running), running.done]);
	if (exitCode !== 0) {
		throw new ServerRefusal(stderr, 'loading the dump failed');
	}

	if (!said.trimEnd().endsWith('holdfast: whole')) {
		throw new RunError('loading the dump failed: it could not be read whole');
	}
}
