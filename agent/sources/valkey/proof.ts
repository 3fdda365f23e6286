/** What was saved is whole: the server's own checking program reads all of it. */
import {lastLines, output, type Place} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {throughInput} from '../entering.ts';
import type {ValkeyServer} from './server.ts';

export interface Proof {
	keys: number;
	expires: number;
	/** In seconds since 1970: when the process that saved had begun. */
	savedAt: number;
}

/** @throws where the program says anything but that it is good */
export function readProof({exitCode, stdout, stderr}: {exitCode: number; stdout: string; stderr: string}): Proof {
	const number = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1] ?? Number.NaN);
	const proof = {
		keys: number(/^\[info\] (\d+) keys read/m),
		expires: number(/^\[info\] (\d+) expires/m),
		savedAt: number(/AUX FIELD ctime = '(\d+)'/),
	};
	if (exitCode !== 0 || !stdout.includes('RDB looks OK') || Number.isNaN(proof.keys)) {
		const why = /--- RDB ERROR DETECTED ---\n(.*)/.exec(stdout)?.[1] ?? lastLines(stderr || stdout);
		throw new RunError(`what the server saved does not stand its own check: ${why}`);
	}

	return proof;
}

interface Checked {
	server: Pick<ValkeyServer, 'checker' | 'fromWorker' | 'other'>;
	/** Has the file. */
	worker: Place;
	/** Enters the server's container; none: through the agent. */
	inside: Place | undefined;
	file: string;
	signal: AbortSignal;
}

/** The program runs in the server's container, and reads the staged file. */
export async function proveStaged({server, worker, inside, file, signal}: Checked): Promise<Proof> {
	const argv = [server.checker, '/dev/stdin'] as const;
	return readProof(
		inside === undefined
			? await throughInput(worker, file, server.other, {argv, signal})
			: await output(inside, {...server.fromWorker('file=$1; shift; exec "$@" <"$file"', [file], argv), signal}),
	);
}
