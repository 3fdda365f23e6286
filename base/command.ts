/**
 * One interface for running a command, wherever it runs: *here* (`here.ts`) or *in a container* (`docker/exec.ts`).
 * Nothing is ever interpreted by a shell unless the argv itself says so.
 */
import type {Readable, Writable} from 'node:stream';
import {finished} from 'node:stream/promises';
import {tailOf} from './tail.ts';
import {size} from './units.ts';

export interface Command {
	/** The program and its arguments; handed over as they are. */
	argv: readonly [string, ...string[]];
	/** Added to the environment that the place has. The only way for a secret to reach a command. */
	env?: Readonly<Record<string, string>>;
	/** User (`name`, `uid`, `uid:gid`) in a container; ignored here. */
	user?: string;
	/** `true`: `stdin` of the running command is open until the caller ends it. Default: no standard input. */
	stdin?: boolean;
	/** Ends the command: it is killed where it runs, and `done` rejects with the signal's reason. */
	signal?: AbortSignal | undefined;
	/** Hears the error output as it comes, in pieces that need not be lines. */
	onError?: ((piece: string) => void) | undefined;
}

export interface Exit {
	/** Confirmed by whoever ran it; never guessed from the end of a stream. */
	exitCode: number;
	/** The last 16 KiB at most. */
	stderr: string;
	/** It was killed because its container may not have more memory. */
	outOfMemory?: boolean | undefined;
}

export interface Running {
	/** Ended already when the command was started without `stdin`. Honour its back-pressure. */
	stdin: Writable;
	/** Must be consumed: the command waits when nobody reads. Its end says nothing about success. */
	stdout: Readable;
	/** Resolves when the exit is confirmed; rejects when it cannot be, or on cancel. */
	done: Promise<Exit>;
	/** SIGKILL, where the command runs. Safe to call after the exit. */
	kill: () => Promise<void>;
}

/** A place where commands run. Rejects when the command cannot be started at all. */
export type Place = (command: Command) => Promise<Running>;

/** How many bytes of stderr are kept. */
export const stderrLimit = 16_384;

export interface Output extends Exit {
	stdout: string;
}

/** Bytes that a command may print where all of it is kept: it may be a hostile one. */
const outputLimit = 64 * 1024 ** 2;

/** All that a command prints. @throws when that is more than may be kept; then the command is ended */
export async function printedBy({stdout, kill}: Pick<Running, 'stdout' | 'kill'>, limit = outputLimit): Promise<string> {
	const chunks: Buffer[] = [];
	let bytes = 0;
	for await (const chunk of stdout as AsyncIterable<Buffer>) {
		bytes += chunk.length;
		if (bytes > limit) {
			chunks.length = 0;
			await kill();
			throw new Error(`it printed more than ${size(limit)}, which is not what was asked for, and was ended`);
		}

		chunks.push(chunk);
	}

	return Buffer.concat(chunks).toString();
}

/** Runs a command that prints little, and gives what it printed. Any exit code resolves. */
export async function output(place: Place, command: Command): Promise<Output> {
	const running = await place(command);
	const [stdout, exit] = await Promise.all([printedBy(running), running.done]);
	return {...exit, stdout};
}

/** Runs a command whose output is of interest only where it fails: it may print any amount. Any exit code resolves; `stdout` is the end of it. */
export async function ending(place: Place, command: Command): Promise<Output> {
	const running = await place(command);
	const end = tailOf(running.stdout, stderrLimit);
	const [exit] = await Promise.all([running.done, finished(running.stdout).catch(() => {})]);
	return {...exit, stdout: end()};
}

/** Like `output`, but an exit code other than 0 is an error that quotes the end of stderr. */
export async function succeed(place: Place, command: Command): Promise<string> {
	const {stdout, ...exit} = await output(place, command);
	if (exit.exitCode !== 0) {
		throw new Error(`\`${command.argv[0]}\` ${exitOf(exit)}: ${lastLines(exit.stderr || stdout)}`);
	}

	return stdout;
}

/** For people: `exited with 1`. */
export const exitOf = ({exitCode, outOfMemory}: Pick<Exit, 'exitCode' | 'outOfMemory'>): string =>
	outOfMemory
		? 'was killed: out of memory'
		: exitCode === killedCode
			? 'was killed (exit code 137), by hand or for want of memory'
			: `exited with ${exitCode}`;

/** 128 + SIGKILL. */
export const killedCode = 137;

/** How PostgreSQL, SQLite, restic and others begin what is really wrong. */
const telling = /\b(?:ERROR|FATAL|PANIC|Fatal|Error):/;

/** The end of an error output, short enough for a message; with the line that tells what is wrong, where more follows it than fits. */
export function lastLines(output: string, {lines = 5, characters = 1000} = {}): string {
	const all = output.trim().split('\n');
	const end = all.slice(-lines).join('\n').slice(-characters);
	const line = telling.test(end) ? undefined : all.findLast(each => telling.test(each));
	return (line === undefined ? end : `${line.slice(0, characters / 2)}\n…\n${end.slice(-characters / 2)}`) || '(it printed nothing)';
}
