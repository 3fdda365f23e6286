import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdir, open, readFile} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {tryDocker} from '../docker.ts';
import {until} from '../until.ts';

/** Whether an engine answers at `host`, by default where the docker command line looks. */
export const answers = async (host?: string): Promise<boolean> =>
	(await tryDocker(['version', '--format', '{{.Server.Version}}'], {timeout: 10_000, ...(host === undefined ? {} : {host})})) !== undefined;

const lastLines = async (file: string): Promise<string> =>
	(await readFile(file, 'utf8').catch(() => '')).trim().split('\n').slice(-5).join('\n');

/** Starts an engine that outlives this process, and waits until it answers. What it prints goes to `log`. Returns its process id. */
export const startDockerd = async (command: readonly string[], {log, host}: {log: string; host?: string}): Promise<number> => {
	await mkdir(path.dirname(log), {recursive: true});
	const output = await open(log, 'a');
	const [program = 'dockerd', ...arguments_] = command;
	const child = spawn(program, arguments_, {detached: true, stdio: ['ignore', output.fd, output.fd]});
	let hasExited = false;
	child.once('exit', () => {
		hasExited = true;
	});
	// Here, because the event comes once, and soon
	await once(child, 'spawn');
	await output.close();
	child.unref();
	await until('a Docker Engine that was started to answer', async () => hasExited || (await answers(host)), {
		timeout: 90_000,
		interval: 200,
	});
	if (hasExited || child.pid === undefined) {
		throw new Error(`The Docker Engine that was started has ended; the end of ${log}:\n${await lastLines(log)}`);
	}

	return child.pid;
};

/** Whether this process runs, and is `program`: an id in a file may belong to something else by now, or to one that nobody has reaped. */
export const isRunning = async (pid: number, program: string): Promise<boolean> => {
	const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
	return state.includes(` (${program}) `) && !state.includes(` (${program}) Z`);
};

/** Sends the signal and waits until the engine is gone. */
export const endDockerd = async (pid: number, signal: NodeJS.Signals): Promise<void> => {
	if (!(await isRunning(pid, 'dockerd'))) {
		return;
	}

	process.kill(pid, signal);
	await until(`the Docker Engine with the process id ${pid} to end`, async () => !(await isRunning(pid, 'dockerd')), {timeout: 60_000});
};
