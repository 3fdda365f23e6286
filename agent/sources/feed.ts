/** The mirror of `relay.ts`: the content of a snapshot flows through a FIFO into a program of another worker. */
import {type Place, succeed} from '../../base/command.ts';
import {bothEnds} from './relay.ts';
import type {RestoreContext} from './restoring.ts';

/** `sh -c SCRIPT sh FIFO PROGRAM …`: what runs the reader. */
export const consumerScript = 'fifo=$1; shift; exec "$@" <"$fifo"';

/** `sh -c SCRIPT sh FILE PROGRAM …` */
const intoScript = 'umask 077; file=$1; shift; exec "$@" >"$file"';

/** A place where what a command writes goes to a file there. */
export const into =
	(place: Place, file: string): Place =>
	async command =>
		place({...command, argv: ['sh', '-c', intoScript, 'sh', file, ...command.argv]});

interface Fed {
	snapshot: string;
	/** The file in the snapshot. */
	path: string;
	/** In the staging folder. */
	fifo: string;
	/** Reads the FIFO. Resolves when it is confirmed that the reader exited 0. */
	consume: (signal: AbortSignal) => Promise<void>;
}

/** Resolves only when both ends exited 0: what restic did not finish is never taken for the whole. */
export async function feed({worker, resticInto, signal}: RestoreContext, {snapshot, path, fifo, consume}: Fed): Promise<void> {
	await succeed(worker, {argv: ['mkfifo', '--mode=600', '--', fifo], signal});
	await bothEnds(signal, {
		async write(either) {
			const dumping = await resticInto(fifo).dump(snapshot, path, either);
			dumping.stdout.resume();
			await dumping.done;
		},
		read: consume,
	});
	await succeed(worker, {argv: ['rm', '-f', '--', fifo], signal});
}

/** A file of the worker made of a file of a snapshot: whole, or an error. */
export async function dumpToFile(
	{resticInto, signal}: Pick<RestoreContext, 'resticInto' | 'signal'>,
	{snapshot, path, file}: {snapshot: string; path: string; file: string},
): Promise<void> {
	const dumping = await resticInto(file).dump(snapshot, path, signal);
	dumping.stdout.resume();
	await dumping.done;
}
