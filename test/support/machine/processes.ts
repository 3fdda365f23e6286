/** Processes of containers as the host sees them: a test that is root on the host can end any of them as suddenly as a crash does. */
import {readdirSync, readFileSync} from 'node:fs';
import process from 'node:process';

export interface HostProcess {
	pid: number;
	argv: readonly string[];
}

/** None where it ended meanwhile. */
function argvOf(pid: number): readonly string[] {
	try {
		return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
	} catch {
		return [];
	}
}

export const findProcesses = (matches: (argv: readonly string[]) => boolean): HostProcess[] =>
	readdirSync('/proc')
		.filter(name => /^\d+$/.test(name))
		.map(name => ({pid: Number(name), argv: argvOf(Number(name))}))
		.filter(({argv}) => argv.length > 0 && matches(argv));

/** @returns how many were there to be told */
export function signalProcesses(signal: NodeJS.Signals, matches: (argv: readonly string[]) => boolean): number {
	return findProcesses(matches).filter(({pid}) => {
		try {
			return process.kill(pid, signal);
		} catch {
			return false;
		}
	}).length;
}

/** SIGKILL. @returns how many were there to be killed */
export const killProcesses = (matches: (argv: readonly string[]) => boolean): number => signalProcesses('SIGKILL', matches);

/** The program is named so, or is a script of this name that an interpreter runs. A shell that only mentions it does not count. */
export const runs = (argv: readonly string[], program: string): boolean =>
	[argv[0], /\/perl$/.test(argv[0] ?? '') ? argv.find(word => word.startsWith('/')) : undefined].some(
		word => word !== undefined && word.split('/').at(-1) === program,
	);
