/** A part of a staged dump is loaded into a database. */

import {text} from 'node:stream/consumers';
import {pipeline} from 'node:stream/promises';
import type {Place, Running} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {batch, loadSession, refusalIn} from './client.ts';
import type {MariadbServer} from './server.ts';

/**
 * The part, and after it, only if it was read whole, a word that the client then says: a client that was handed half of a dump would exit 0.
 */
const read = `printf '%s\\n' '${loadSession}'; dd if="$file" iflag=skip_bytes,count_bytes skip="$skip" count="$bytes" bs=1M status=none && printf "\\nselect 'holdfast: whole';\\n"`;

/** `sh -c SCRIPT sh FILE SKIP BYTES` */
const part = `file=$1 skip=$2 bytes=$3; ${read}`;

/** `sh -c SCRIPT sh FILE SKIP BYTES PROGRAM …` */
const partInto = `file=$1 skip=$2 bytes=$3; shift 3; { ${read}; } | "$@"`;

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
export async function loadPart({server, worker, inside, file, skip, bytes, database, signal}: Loaded): Promise<void> {
	if (bytes === 0) {
		return;
	}

	const argv = [server.programs.client, ...batch, `--database=${database}`] as const;
	const place = [file, String(skip), String(bytes)];
	let running: Running;
	if (inside === undefined) {
		running = await server.client({argv, stdin: true, signal});
		const reading = await worker({argv: ['sh', '-c', part, 'sh', ...place], signal});
		pipeline(reading.stdout, running.stdin).catch(async () => reading.kill());
	} else {
		running = await inside({...server.fromWorker(partInto, place, argv), signal});
	}

	const [said, {exitCode, stderr}] = await Promise.all([text(running.stdout), running.done]);
	if (exitCode !== 0 || !said.trimEnd().endsWith('holdfast: whole')) {
		throw new RunError(`loading the dump failed: ${exitCode === 0 ? 'it could not be read whole' : refusalIn(stderr)}`);
	}
}
