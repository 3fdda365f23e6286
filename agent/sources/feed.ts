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
	/** `sed`'s, for the first bytes of it: nothing behind them is looked at. */
	edit?: string | undefined;
	/** Reads the FIFO. Resolves when it is confirmed that the reader exited 0. */
	consume: (signal: AbortSignal) => Promise<void>;
}

/** `sh -c SCRIPT sh FROM TO EDIT` */
const editScript = `exec <"$1" >"$2"
dd bs=65536 count=1 iflag=fullblock status=none | LC_ALL=C sed "$3" && exec cat`;

/** Resolves only when both ends exited 0: what restic did not finish is never taken for the whole. */
export async function feed({worker, resticInto, signal}: RestoreContext, {snapshot, path, fifo, edit, consume}: Fed): Promise<void> {
	const raw = `${fifo}.raw`;
	const dumpInto = async (file: string, either: AbortSignal): Promise<void> => {
		const dumping = await resticInto(file).dump(snapshot, path, either);
		dumping.stdout.resume();
		await dumping.done;
	};
	await succeed(worker, {argv: ['mkfifo', '--mode=600', '--', fifo, ...(edit === undefined ? [] : [raw])], signal});
	await bothEnds(signal, {
		async write(either) {
			if (edit === undefined) {
				return dumpInto(fifo, either);
			}

			await bothEnds(either, {
				write: async both => dumpInto(raw, both),
				read: async both => succeed(worker, {argv: ['sh', '-c', editScript, 'sh', raw, fifo, edit], signal: both}),
			});
		},
		read: consume,
	});
	await succeed(worker, {argv: ['rm', '-f', '--', fifo, raw], signal});
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
