/** A part of a staged dump is loaded into a database. */

import {pipeline} from 'node:stream/promises';
import * as z from 'zod';
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
	/** Called before settings of the server are changed, with what they were; and with nothing when they are put back. On disk when it returns. */
	remember: (changed: ChangedSetting[]) => void;
}

/** @throws at the first error of the server, and where not all of it was loaded */
export async function loadPart(loaded: Loaded): Promise<void> {
	if (loaded.bytes === 0) {
		return;
	}

	const {server, signal, remember} = loaded;
	const {changed, packet} = await clearWay(server, remember);
	const failures: unknown[] = [];
	try {
		await load(loaded, `${putBackSql(changed.filter(({name}) => name === 'max_allowed_packet'))}${loadSession}${await unkeyed(server)}`);
	} catch (error) {
		failures.push(
			signal.aborted || !(error instanceof ServerRefusal && tooLong.includes(error.code)) ? error : tooLongError(error, packet),
		);
	}

	await putSettingsBack(server, changed, remember).catch((error: unknown) => failures.push(error));
	signal.throwIfAborted();
	if (failures.length > 0) {
		throw failures.length === 1 ? failures[0] : new AggregateError(failures);
	}
}

const tooLongError = ({message}: ServerRefusal, limit: number): RunError =>
	new RunError(message, {
		hint: `the server takes statements of ${size(limit)}, and the dump may have longer ones: raise its \`max_allowed_packet\``,
	});

/** A packet too large, or the session ended in the middle of one: https://mariadb.com/kb/en/mariadb-error-code-reference/ */
const tooLong = [1153, 2006, 2013, 2020];

/**
 * What holds for all sessions of a server, and is in the way of a loading. A row in a dump may be twice as long as it is: longer than what the server took once. And a server with a
 * binary log takes no function that may write, or say something else each time, if it does not say so: what is there was taken once. For no session alone can either be set.
 */
const settingNames = ['max_allowed_packet', 'log_bin_trust_function_creators'] as const;

/** As it was before. */
export const changedSetting = z.object({name: z.enum(settingNames), before: z.number()});

export type ChangedSetting = z.infer<typeof changedSetting>;

const setSql = (name: ChangedSetting['name'], value: number): string => `set global ${name} = ${value};`;

const putBackSql = (changed: readonly ChangedSetting[]): string => changed.map(({name, before}) => setSql(name, before)).join(' ');

/**
 * Where the account may, for the time of the loading. Its session has the longest statements from its begin on, and puts that back first of all.
 *
 * @returns what was changed, and the longest statement that the server takes, in bytes
 */
async function clearWay({query}: MariadbServer, remember: Loaded['remember']): Promise<{changed: ChangedSetting[]; packet: number}> {
	const found = new Map(
		(await query("show global variables where variable_name in ('max_allowed_packet', 'log_bin', 'log_bin_trust_function_creators')")).map(
			([name = '', value = '']) => [name, value] as const,
		),
	);
	const packet = Number(found.get('max_allowed_packet'));
	const isDistrusting = found.get('log_bin') === 'ON' && found.get('log_bin_trust_function_creators') === 'OFF';
	const wanted = [
		...(packet < largestPacket ? [{name: 'max_allowed_packet', before: packet, value: largestPacket} as const] : []),
		...(isDistrusting ? [{name: 'log_bin_trust_function_creators', before: 0, value: 1} as const] : []),
	];
	if (wanted.length === 0) {
		return {changed: [], packet};
	}

	remember(wanted.map(({name, before}) => ({name, before})));
	const changed: ChangedSetting[] = [];
	for (const {name, before, value} of wanted) {
		try {
			await query(setSql(name, value));
			changed.push({name, before});
		} catch (error) {
			if (!(error instanceof ServerRefusal)) {
				throw error;
			}
		}
	}

	if (changed.length < wanted.length) {
		remember(changed);
	}

	return {changed, packet: changed.some(({name}) => name === 'max_allowed_packet') ? largestPacket : packet};
}

/** What a loading changed, be it one that was killed. */
export async function putSettingsBack(
	{query}: Pick<MariadbServer, 'query'>,
	changed: readonly ChangedSetting[],
	remember: Loaded['remember'],
): Promise<void> {
	if (changed.length > 0) {
		await query(putBackSql(changed));
		remember([]);
	}
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
