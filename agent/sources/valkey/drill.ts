/** What was saved is loaded by a new server in a scratch container of the target's own image: the same program, nothing of the target's data. */
import {lastLines, output, succeed} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {room} from '../../../base/units.ts';
import {type ScratchWorker, scratchFolder} from '../../../docker/worker.ts';
import {assertRoom, type DrillContext, type Drilling, type DrillSource} from '../drilling.ts';
import {throughInput} from '../entering.ts';
import {dumpToFile} from '../feed.ts';
import {readInfo} from './client.ts';
import {valkeyDetails} from './details.ts';
import {assertLoaded} from './loaded.ts';
import {readProof} from './proof.ts';

const saved = `${scratchFolder}/dump.rdb`;

/** More than this a server in a scratch container may not take of memory. */
const mostMemoryBytes = 1.5 * 1024 ** 3;

/** `sh -c SCRIPT sh FOLDER`: what the server says of itself, when it has loaded all. It is thrown away, and keeps nothing. */
const start = `cd "$1" || exit
server=$(command -v valkey-server || command -v redis-server) || { echo 'the image has no valkey-server' >&2; exit 1; }
client=$(command -v valkey-cli || command -v redis-cli) || { echo 'the image has no valkey-cli' >&2; exit 1; }
"$server" --dir "$1" --dbfilename dump.rdb --save '' --appendonly no --daemonize no --port 0 --unixsocket "$1/server.sock" >server.log 2>&1 </dev/null &
while kill -0 "$!" 2>/dev/null; do
	info=$("$client" -s "$1/server.sock" INFO 2>/dev/null) || info=
	if printf '%s\\n' "$info" | grep -q '^loading:0'; then printf '%s\\n' "$info"; kill "$!"; exit 0; fi
	sleep 0.1
done
tail -n 5 server.log >&2; exit 1`;

export function valkeyDrilling({name, stored, image}: DrillSource, context: DrillContext, index: number): Drilling {
	const {signal, tell, worker, staging} = context;
	const details = valkeyDetails.parse(stored.details);
	const file = `${staging}/drill-${index}.rdb`;

	return {
		name,
		async rehearse() {
			await assertRoom(worker, staging, stored.bytes, signal);
			await dumpToFile(context, {snapshot: stored.snapshot, path: stored.path, file});
			const scratch = await context.scratch(image, {});
			try {
				await assertRoom(scratch.run, scratchFolder, stored.bytes, signal);
				await copyInto(scratch, context, file);
				tell({type: 'step', step: 'check', subject: name});
				const found = await checkedIn(scratch, details.keys, signal);
				return details.memoryBytes > mostMemoryBytes
					? [found, `read and not loaded: it would take ${room(details.memoryBytes)} of memory`]
					: [found, await loadedIn(scratch, {image, details, signal})];
			} finally {
				await succeed(worker, {argv: ['rm', '-f', '--', file]});
				// What cannot be removed now is tried again at the end of the run, which says so.
				await scratch.dismiss().catch(() => {});
			}
		},
	};
}

async function copyInto({run}: ScratchWorker, {worker, signal}: DrillContext, file: string): Promise<void> {
	const {exitCode, stderr} = await throughInput(worker, file, run, {argv: ['sh', '-c', 'cat >"$1"', 'sh', saved], user: '0', signal});
	if (exitCode !== 0) {
		throw new RunError(`what was saved could not be put into a scratch container: ${lastLines(stderr)}`);
	}
}

const check = `checker=$(command -v valkey-check-rdb || command -v redis-check-rdb) || { echo 'the image has no valkey-check-rdb' >&2; exit 1; }
exec "$checker" "$1"`;

async function checkedIn({run}: ScratchWorker, keys: number, signal: AbortSignal): Promise<string> {
	const proof = readProof(await output(run, {argv: ['sh', '-c', check, 'sh', saved], user: '0', signal}));
	if (proof.keys !== keys) {
		throw new RunError(`it had ${keys} keys in the point, and ${proof.keys} were restored`);
	}

	return `${keys} keys, read by the server's own checking program`;
}

interface Loading {
	image: string;
	details: {keys: number; expires: number; software: string};
	signal: AbortSignal;
}

async function loadedIn({run}: ScratchWorker, {image, details, signal}: Loading): Promise<string> {
	const {exitCode, stdout, stderr} = await output(run, {argv: ['sh', '-c', start, 'sh', scratchFolder], user: '0', signal});
	if (exitCode !== 0) {
		throw new RunError(`no server loads it in a scratch container of ${image}: ${lastLines(stderr || stdout)}`);
	}

	return `loaded by a new server: ${assertLoaded(details, readInfo(stdout))} keys whose time is not over`;
}
