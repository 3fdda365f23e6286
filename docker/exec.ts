/**
 * Commands in a container: docker exec with what it lacks. Back-pressure (dockerode's own demultiplexer ignores it and keeps
 * whole dumps in memory), an exit that the engine confirmed, and a cancel that kills the process where it runs.
 */

import {Readable, Writable} from 'node:stream';
import {text} from 'node:stream/consumers';
import {setTimeout as delay} from 'node:timers/promises';
import {type Command, type Exit, killedCode, type Place, type Running} from '../base/command.ts';
import {unlessAborted} from '../base/patience.ts';
import {type Watch, watchAlive} from './alive.ts';
import type {EngineExec} from './calls/commands.ts';
import {refusesTheDead, toldDead} from './death.ts';
import {type Demultiplexed, demultiplex} from './demultiplex.ts';
import type {Engine} from './engine.ts';
import {statusOf} from './refusal.ts';

/**
 * How long the engine may take to confirm an exit after the output ended: 30 s were too few on a machine that was busy enough. A child that
 * holds stdout ends later, not earlier.
 */
const confirmDeadlineMs = 120_000;

/** A command that kills has ended by then. */
const killMs = 2000;

/** One that has lost its input and its output, too. */
const endMs = 10_000;

/** In which the engine hears of the end of a container whose command was killed with it. */
const diesMs = 500;

/** Prints the process's own pid, which is all that a later kill needs, and becomes the command. */
const wrapper = 'echo "$$" >&2; exec "$@"';

/** Each docker exec is a session of its own (runc calls setsid), so the group is the command and its children. dash's kill knows no `--`. */
const killer = 'kill -KILL "-$1" 2>/dev/null || kill -KILL "$1" 2>/dev/null || test ! -e "/proc/$1"';

/**
 * `docker exec` into one container.
 * @param confirmMs shorter in tests
 */
export function inContainer(engine: Engine, id: string, confirmMs = confirmDeadlineMs): Place {
	return async command => {
		const watch = watchAlive(engine, id);
		const into = {engine, id, command, watch, confirmMs};
		const start = async () => (await startWrapped(into)) ?? startPlain(into);
		try {
			const begun = Promise.race([start(), watch.ended]);
			// An engine that does not even begin it keeps nobody waiting who has given it up; what begins all the same ends itself by the signal.
			const running = await unlessAborted(begun, command.signal);
			running.done.then(watch.stop, watch.stop);
			return running;
		} catch (error) {
			watch.stop();
			throw refusesTheDead(error) ? await toldDead(engine, id, `before \`${command.argv[0]}\` could begin in it`, {cause: error}) : error;
		}
	};
}

/** None where the container has no shell: then the command runs without the wrapper. */
async function startWrapped(into: Into): Promise<Running | undefined> {
	const {engine, id, command, confirmMs} = into;
	const exec = await engine.exec(id, {...optionsOf(command), argv: ['sh', '-c', wrapper, 'sh', ...command.argv]});
	const output = demultiplex(exec.stream, command.onError);
	const pid = await output.firstErrorLine();
	if (pid === undefined || !/^\d+$/.test(pid)) {
		exec.stream.destroy();
		const {exitCode} = await confirmExit(exec, confirmMs);
		if (exitCode === 126 || exitCode === 127) {
			return undefined;
		}

		throw new Error(
			`\`${command.argv[0]}\` could not be started in container ${id.slice(0, 12)}: ${output.stderr() || `exit code ${exitCode}`}`,
		);
	}

	return running({...into, exec, output}, async () => {
		const kill = await engine.exec(id, {argv: ['sh', '-c', killer, 'sh', pid], env: [], user: '0', stdin: false});
		await Promise.race([demultiplex(kill.stream).firstErrorLine(), delay(killMs)]);
		// An engine (20.10) handles the ends of a container's commands one after the other, and that of this one waits until its output is read.
		exec.stream.destroy();
		await confirmExit(kill, confirmMs);
	});
}

async function startPlain(into: Into): Promise<Running> {
	const {engine, id, command} = into;
	const exec = await engine.exec(id, {...optionsOf(command), argv: command.argv});
	return running({...into, exec, output: demultiplex(exec.stream, command.onError)}, async () => {
		// Its input and its output end with the connection: what reads or writes ends by itself.
		exec.stream.destroy();
		await confirmExit(exec, endMs).catch((cause: unknown) => {
			throw new Error(`\`${command.argv[0]}\` in container ${id.slice(0, 12)} cannot be killed: the container has no shell`, {cause});
		});
	});
}

const optionsOf = ({env = {}, user, stdin = false}: Command) => ({
	env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
	user,
	stdin,
});

interface Into {
	engine: Engine;
	id: string;
	command: Command;
	watch: Watch;
	confirmMs: number;
}

interface Started extends Into {
	exec: EngineExec;
	output: Demultiplexed;
}

function running({engine, id, command, exec, output, watch, confirmMs}: Started, killProcess: () => Promise<void>): Running {
	const {signal} = command;
	watch.ended.catch((error: Error) => exec.stream.destroy(error));
	let exited = false;
	const kill = async () => {
		if (exited) {
			return;
		}

		try {
			await killProcess();
		} catch (error) {
			// A container that is gone took its processes with it.
			if (statusOf(error) !== 404) {
				throw error;
			}
		} finally {
			exec.stream.destroy();
		}
	};

	const stdout = Readable.from(whySoShort(output.stdout(), signal), {objectMode: false, highWaterMark: 262_144});
	// `done` tells it, and so does the stream to who reads it; an output that is thrown away must not bring the agent down
	stdout.on('error', () => {});
	const aborted = new Promise<never>((_resolve, reject) => {
		const abort = () => {
			const stopped = (error?: unknown) => {
				const reason = error === undefined ? signal?.reason : new AggregateError([signal?.reason, error]);
				// A cut output must not look like a whole one, nor keep its reader waiting
				stdout.destroy(reason instanceof Error ? reason : undefined);
				reject(reason);
			};

			kill().then(() => stopped(), stopped);
		};

		if (signal?.aborted) {
			abort();
		} else {
			signal?.addEventListener('abort', abort, {once: true});
			output.ended.then(
				() => signal?.removeEventListener('abort', abort),
				() => signal?.removeEventListener('abort', abort),
			);
		}
	});

	const finished = async (): Promise<Exit> => {
		await output.ended.catch(async error => {
			await (signal?.aborted ? aborted : undefined);
			throw error;
		});
		const {exitCode} = await confirmExit(exec, confirmMs, command.argv[0]);
		exited = true;
		signal?.throwIfAborted();
		if (exitCode !== killedCode) {
			return {exitCode, stderr: output.stderr()};
		}

		if (await ranOutOfMemory(engine, id)) {
			return {exitCode, stderr: output.stderr(), outOfMemory: true};
		}

		const died = await diedToo(engine, id);
		return {exitCode, stderr: [output.stderr(), died].filter(Boolean).join('\n')};
	};

	const done = Promise.race([finished(), aborted]);
	// Whoever awaits `done` sees its failure; a caller that failed earlier must not bring the agent down.
	done.catch(() => {});
	aborted.catch(() => {});
	return {stdin: command.stdin ? standardInput(exec.stream) : closedInput(), stdout, done, kill};
}

/** Who reads the output of a command that is being ended meets the cut before anybody is told that it has ended: it hears of the cancel. */
async function* whySoShort(output: AsyncIterable<Buffer>, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
	try {
		yield* output;
	} catch (error) {
		throw signal?.aborted ? signal.reason : error;
	}
}

/** A container that is killed or removed takes its commands with it, of which the engine hears first. Empty: it goes on. */
async function diedToo(engine: Engine, id: string): Promise<string> {
	const deadline = Date.now() + diesMs;
	for (;;) {
		const state = await engine.inspect(id).then(
			details => details.state,
			(error: unknown) => (statusOf(error) === 404 ? 'dead' : 'running'),
		);
		if (state === 'exited' || state === 'dead' || state === 'removing') {
			return (await toldDead(engine, id, 'while it ran')).message;
		}

		if (Date.now() > deadline) {
			return '';
		}

		await delay(50);
	}
}

/** Where the kernel counts, with control groups of either version. */
const countOfKills = 'cat /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control 2>/dev/null';

/** The engine (20.10) calls a container killed for memory only when its first process was; so the kernel is asked. No answer is a no. */
async function ranOutOfMemory(engine: Engine, id: string): Promise<boolean> {
	if ((await engine.inspect(id).catch(() => undefined))?.oomKilled) {
		return true;
	}

	try {
		const exec = await engine.exec(id, {argv: ['sh', '-c', countOfKills], env: [], user: '0', stdin: false});
		const counts = await Promise.race([text(Readable.from(demultiplex(exec.stream).stdout())), delay(killMs, '', {ref: false})]);
		return /^oom_kill [1-9]/m.test(counts);
	} catch {
		return false;
	}
}

/** Only the writing half, so that ending it does not end the reading of the output. */
function standardInput(stream: EngineExec['stream']): Writable {
	const input = new Writable({
		highWaterMark: 262_144,
		write(chunk, _encoding, callback) {
			stream.write(chunk, callback);
		},
		final(callback) {
			stream.end(callback);
		},
	});
	stream.once('close', () => input.destroy());
	// The command may end without reading all of its input: its exit code says whether that is a failure.
	input.on('error', () => {});
	return input;
}

function closedInput(): Writable {
	const input = new Writable();
	input.destroy();
	return input;
}

/** The end of the output is no success: with the engine killed the stream just ends. */
async function confirmExit(exec: EngineExec, confirmMs: number, program = 'the command'): Promise<{exitCode: number}> {
	const deadline = Date.now() + confirmMs;
	for (let pause = 5; ; pause = Math.min(pause * 2, 500)) {
		try {
			const {running, exitCode} = await exec.inspect();
			if (!running && exitCode !== null) {
				return {exitCode};
			}

			if (Date.now() > deadline) {
				throw new Error('it closed its output but still runs');
			}
		} catch (error) {
			if (Date.now() > deadline || statusOf(error) === 404) {
				throw new Error(`the engine did not confirm how \`${program}\` ended`, {cause: error});
			}
		}

		await delay(pause);
	}
}
