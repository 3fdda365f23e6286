/** Programs of a server's container that work on the staging folder: in a dump worker that enters the container, or else by docker exec through the agent. */
import {pipeline} from 'node:stream/promises';
import {type Command, lastLines, type Output, type Place, printedBy, type Running, succeed} from '../../base/command.ts';
import {explain, RunError} from '../../base/errors.ts';
import type {ContainerDetails} from '../../docker/details.ts';
import type {SourceContext} from './source.ts';

export interface Enterable {
	/** It is in no container that Holdfast knows, and the client programs are Holdfast's own. */
	isExternal: boolean;
	/** @throws where a dump worker cannot enter the container's file system */
	assertEnterable: () => void;
	/** What a dump worker runs: `script` (for `sh`) gets `scriptArguments`, and after them the program, inside the database's container. */
	fromWorker: (script: string, scriptArguments: readonly string[], argv: readonly string[]) => Command;
}

/** Runs as `user` (`uid:gid`) in the container of the process `pid`, whose namespace of pids the worker joined. */
export const enteringArgv = (
	{pid, user}: {pid: number | string; user: string},
	script: string,
	scriptArguments: readonly string[],
	argv: readonly string[],
): Command['argv'] => [
	'/bin/sh',
	'-c',
	script,
	'sh',
	...scriptArguments,
	'/usr/sbin/chroot',
	`--userspec=${user}`,
	'--groups=',
	`/proc/${pid}/root`,
	...argv,
];

/** @throws where the folder of a pid would be the host's, not the container's */
export function assertOwnPids({pidMode}: Pick<ContainerDetails, 'pidMode'>): void {
	if (pidMode !== '') {
		throw new RunError(`it has the pid namespace \`${pidMode}\``);
	}
}

/** Where a program can run beside the staging folder. None where the engine, a security module or a pid namespace of the host forbids it: then it is said, and docker exec serves. */
export async function enterableWorker(
	{dumpWorker, clientWorker, tell}: SourceContext,
	server: Enterable,
	{id, name}: {id: string; name: string},
	signal: AbortSignal,
) {
	if (server.isExternal) {
		return (await clientWorker()).run;
	}

	try {
		server.assertEnterable();
		const {run} = await dumpWorker(id);
		await succeed(run, {...server.fromWorker('exec "$@"', [], ['true']), signal});
		return run;
	} catch (error) {
		signal.throwIfAborted();
		tell({type: 'warning', message: `dumps of container \`${name}\` go through docker exec, which is slower: ${explain(error)}`});
		return undefined;
	}
}

/**
 * A dump that no worker can make: the client writes it, and the agent hands it on. @throws {RunError}
 * @param check ends when the client has, and throws where that is no success
 * @param file of the worker, or a FIFO there
 */
export async function throughAgent(
	context: Pick<SourceContext, 'worker'>,
	{client, command, file, check}: {client: Place; command: Command; file: string; check: (running: Running) => Promise<void>},
): Promise<void> {
	const sink = await context.worker({argv: ['sh', '-c', 'cat >"$1"', 'sh', file], stdin: true, signal: command.signal});
	sink.stdout.resume();
	const dumping = await client(command);
	await pipeline(dumping.stdout, sink.stdin);
	await check(dumping);
	const {exitCode, stderr} = await sink.done;
	if (exitCode !== 0) {
		throw new RunError(`the dump could not be handed on: ${lastLines(stderr)}`);
	}
}

/** A program reads a file of the worker from its standard input, and prints little. Any exit code resolves; what could not be read whole is an error. */
export async function throughInput(worker: Place, file: string, client: Place, command: Command): Promise<Output> {
	const running = await client({...command, stdin: true});
	const reading = await worker({argv: ['cat', '--', file], signal: command.signal});
	// A program that has seen enough closes its input: what it says then is the answer.
	pipeline(reading.stdout, running.stdin).catch(async () => reading.kill());
	const [stdout, exit, {exitCode}] = await Promise.all([printedBy(running), running.done, reading.done]);
	if (exit.exitCode === 0 && exitCode !== 0) {
		throw new RunError(`\`${file}\` could not be read whole`);
	}

	return {...exit, stdout};
}
