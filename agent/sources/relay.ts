/**
 * A stream between two workers becomes a snapshot, or nothing does. A marker is made beside the FIFO, before the FIFO is closed, only when
 * the producer exited 0; without the marker the relay exits 1 and restic saves no snapshot.
 */
import {setTimeout as delay} from 'node:timers/promises';
import {lastLines, type Place, succeed} from '../../base/command.ts';
import {RepositoryError, RunError} from '../../base/errors.ts';
import {sourcePath} from '../repository/names.ts';
import type {Saved} from '../restic/restic.ts';
import type {SourceContext} from './source.ts';
import {snapshotOptions} from './staged.ts';

/** `sh -c SCRIPT sh FIFO MAGIC TRAILER`: the content must begin with MAGIC and have TRAILER near its end, and the marker must be there at its end. */
export const relayScript = `exec <"$1" || exit 1
head=$(dd bs=1 count="\${#2}" 2>/dev/null)
[ "$head" = "$2" ] || { echo "the dump does not begin with $2" >&2; exit 1; }
printf %s "$head"
pass() {
	[ -n "$1" ] || { cat; return; }
	mkfifo -m 600 "$2" || return
	tail -c 1024 <"$2" | grep -qF -e "$1" &
	tee "$2" && { wait "$!" || { echo "the dump does not end with $1" >&2; return 1; }; }
}
pass "$3" "$1.end" && { test -e "$1.complete" || { echo 'the dump broke off' >&2; exit 1; }; }`;

/**
 * `sh -c SCRIPT sh FIFO PROGRAM …`: what becomes the producer. It must not run beside it: where the producer is in the database's PID
 * namespace, a child that lost its parent belongs to that namespace's first process, which mostly is PostgreSQL's. That takes the death of
 * any child for the crash of a session, and ends every other session (measured with 17).
 */
export const producerScript = 'exec >"$1"; shift; exec "$@"';

/** `sh -c SCRIPT sh FIFO`: holds the FIFO open until it is told that the producer exited 0, so that the marker comes before the end. */
const holder = 'exec 3>"$1"; read -r word && [ "$word" = complete ] && : >"$1.complete"';

/** How long the other end may take to say why it failed, before it is ended. */
const lastWordsMs = 2000;

/** Writes into the FIFO. Resolves when the engine confirmed that the producer exited 0. */
export type Produce = (signal: AbortSignal) => Promise<void>;

interface Relayed {
	source: string;
	/** In the staging folder. */
	fifo: string;
	/** What the content begins with. ASCII. */
	magic: string;
	/** What stands near its end. ASCII. Empty: it has no such mark. */
	trailer?: string;
	produce: Produce;
}

/** A reader whose writer died before it opened the FIFO waits for ever, and so does a writer: when one end goes, the other is ended. */
export async function storeStream(context: SourceContext, {source, fifo, magic, trailer = '', produce}: Relayed): Promise<Saved> {
	const {worker, restic, signal} = context;
	await succeed(worker, {argv: ['mkfifo', '--mode=600', '--', fifo], signal});
	const [, saved] = await bothEnds(signal, {
		write: async either => holdOpen(worker, fifo, produce, either),
		read: async either =>
			restic.backupStream({
				...snapshotOptions(context, source),
				filename: sourcePath(context.target, source),
				command: ['sh', '-c', relayScript, 'relay', fifo, magic, trailer],
				signal: either,
			}),
	}).catch((error: unknown) => {
		signal.throwIfAborted();
		throw new RunError(`\`${source}\` was not stored`, {cause: error});
	});
	return saved;
}

async function holdOpen(worker: Place, fifo: string, produce: Produce, signal: AbortSignal): Promise<void> {
	const holding = await worker({argv: ['sh', '-c', holder, 'sh', fifo], stdin: true, signal});
	holding.stdout.resume();
	try {
		await produce(signal);
		holding.stdin.write('complete\n');
	} finally {
		holding.stdin.end();
	}

	const {exitCode, stderr} = await holding.done;
	if (exitCode !== 0) {
		throw new RunError(`the end of the dump could not be marked: ${lastLines(stderr)}`);
	}
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
	const causes = withoutConsequence(reasons);
	throw causes.length === 1 ? causes[0] : new AggregateError(causes);
}

/** What the relay says when its writer is gone, or wrote something else than a dump. */
const consequence = /the dump (?:broke off|does not (?:begin|end) with)/;

/** @param reasons of the writer, of the reader. A repository that is full or away is why the writer failed; else the writer is why the reader did */
function withoutConsequence(reasons: readonly unknown[]): readonly unknown[] {
	const [writer, reader] = reasons;
	if (reasons.length < 2 || !(reader instanceof RepositoryError)) {
		return reasons;
	}

	return reader.problem === 'failed' ? (consequence.test(reader.message) ? [writer] : reasons) : [reader];
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
