/**
 * A stream between two workers becomes a snapshot, or nothing does. The writer makes a marker beside the FIFO, before it closes the FIFO,
 * only when its producer exited 0; without the marker the relay exits 1 and restic saves no snapshot.
 */
import {setTimeout as delay} from 'node:timers/promises';
import {succeed} from '../command.ts';
import {RunError} from '../errors.ts';
import type {Saved} from '../restic/restic.ts';
import {sourcePath} from './names.ts';
import type {SourceContext} from './source.ts';
import {snapshotOptions} from './staged.ts';

/** `sh -c SCRIPT sh FIFO MAGIC`: the content must begin with MAGIC, and the marker must be there at its end. */
const relay = `exec <"$1" || exit 1
head=$(dd bs=1 count="\${#2}" 2>/dev/null)
[ "$head" = "$2" ] || { echo "the dump does not begin with $2" >&2; exit 1; }
printf %s "$head"
cat && { test -e "$1.complete" || { echo 'the dump broke off' >&2; exit 1; }; }`;

/** `sh -c SCRIPT sh FIFO PROGRAM …`: what runs beside the producer. */
export const producerScript = 'fifo=$1; shift; { "$@" && : >"$fifo.complete"; } >"$fifo"';

/** How long the other end may take to say why it failed, before it is ended. */
const lastWordsMs = 2000;

interface Relayed {
	source: string;
	/** In the staging folder. */
	fifo: string;
	/** What the content begins with. ASCII. */
	magic: string;
	/** Writes into the FIFO and makes the marker. Resolves when the engine confirmed that the producer exited 0. */
	produce: (signal: AbortSignal) => Promise<void>;
}

/** A reader whose writer died before it opened the FIFO waits for ever, and so does a writer: when one end goes, the other is ended. */
export async function storeStream(context: SourceContext, {source, fifo, magic, produce}: Relayed): Promise<Saved> {
	const {worker, restic, signal} = context;
	await succeed(worker, {argv: ['mkfifo', '--mode=600', '--', fifo], signal});
	const [, saved] = await bothEnds(signal, {
		write: produce,
		read: async either =>
			restic.backupStream({
				...snapshotOptions(context, source),
				filename: sourcePath(context.target, source),
				command: ['sh', '-c', relay, 'relay', fifo, magic],
				signal: either,
			}),
	}).catch((error: unknown) => {
		signal.throwIfAborted();
		throw new RunError(`\`${source}\` was not stored`, {cause: error});
	});
	return saved;
}

interface Ends<Written, Read> {
	write: (signal: AbortSignal) => Promise<Written>;
	read: (signal: AbortSignal) => Promise<Read>;
}

/** Runs both ends of a FIFO. When one fails the other is ended, and the reasons of both are kept. */
export async function bothEnds<Written, Read>(signal: AbortSignal, {write, read}: Ends<Written, Read>): Promise<[Written, Read]> {
	const end = new AbortController();
	const either = AbortSignal.any([signal, end.signal]);
	const writing = write(either);
	const reading = read(either);
	const [written, got] = await Promise.allSettled([endOther(writing, reading, end), endOther(reading, writing, end)]);
	if (written.status === 'fulfilled' && got.status === 'fulfilled') {
		return [written.value, got.value];
	}

	signal.throwIfAborted();
	const reasons = [written, got].flatMap(result =>
		result.status === 'rejected' && !(result.reason instanceof EndedError) ? [result.reason] : [],
	);
	throw reasons.length === 1 ? reasons[0] : new AggregateError(reasons);
}

/** One end was ended because the other failed: not a reason of its own. */
class EndedError extends Error {}

async function endOther<Value>(one: Promise<Value>, other: Promise<unknown>, end: AbortController): Promise<Value> {
	try {
		return await one;
	} catch (error) {
		await Promise.race([other.catch(() => {}), delay(lastWordsMs)]);
		end.abort(new EndedError('the other end failed'));
		throw error;
	}
}
