/**
 * Ties a worker to its agent: a command in the worker reads an input that only the agent has open. When the agent is gone, however it ended, the input ends,
 * and a little later the worker: it keeps no network and no volume in use. What was only a connection that broke is made again in time. A worker of
 * which nobody was heard for minutes ends by itself, whatever became of its agent and of that command.
 */
import {setTimeout as delay} from 'node:timers/promises';
import type {Engine} from './engine.ts';
import {statusOf} from './refusal.ts';

/** A FIFO of the image, which each container has for itself. */
const lifeline = '/opt/holdfast/lifeline';

/** A worker of which nobody was heard for so long ends. */
const leaseSeconds = 600;

/** In which a connection that broke may be made again. */
const graceSeconds = 10;

/** Whoever was lent a volume goes before its owner, with whom the engine removes it. */
export const borrowersGraceSeconds = 4;

/** Also, what stands between the agent and its engine may end a connection on which nothing happens. */
const beatMs = 60_000;

const retryMs = 1000;

/**
 * `restic unlock` asks by a SIGHUP whether the process of a lock lives (0.16 to 0.19, `processExists`). In a worker that has the host name of a dead one
 * its id is as a rule one of these: such a worker died of its own unlocking.
 */
const deaf = "trap '' HUP";

/** Shell's own words only: in a database's namespace of pids a child that loses its parent would be the database's. Of two commands the later one counts. */
const living = `${deaf}
exec 3<>"$1" || exit
patience=$2
while read -r -t "$patience" what who <&3; do
	patience=$2
	test "$what" != here || last=$who
	test "$what $who" != "gone $last" || patience=$3
done`;

/**
 * With the worker everything in it dies at once. A restic that was at work would leave its lock, which shuts out all who share the repository for as long as this agent does
 * not come back: it is asked to end before, and takes its lock away. What is stuck is not waited for.
 */
const parting = `n=0
while test "$n" -lt "$5"; do
	found=
	for process in /proc/[0-9]*; do
		read -r name <"$process/comm" && test "$name" = "$4" && found=1 && { test "$n" -gt 0 || kill -TERM "\${process#/proc/}"; }
	done 2>/dev/null
	test -n "$found" || break
	n=$((n + 1))
	read -r -t 1 _ <&3
done`;

const partingSeconds = 10;

const telling = `${deaf}
echo "here $$" >"$1"
while read -r _; do echo "here $$" >"$1"; done
echo "gone $$" >"$1"`;

const looks = 20;

/** For any image with `sh` and `sleep`. It has nothing that others need, and ends by the lease alone. */
const livingAnywhere = `missed=0
while test $missed -lt "$2"; do
	sleep "$3"
	if test -s "$1"; then : >"$1"; missed=0; else missed=$((missed + 1)); fi
done`;

const tellingAnywhere = `echo here >"$1"
while read -r _; do echo here >"$1"; done`;

export interface Tether {
	/** What the worker does by itself. */
	life: string[];
	/** What is run in it as long as its agent lives. */
	tell: readonly string[];
}

interface Lifeline {
	at?: string;
	lease?: number;
	grace?: number;
	/** The name of the program that is asked to end before the worker does. */
	last?: string;
}

/** Times are shorter in tests. */
export const lifelineOf = ({at = lifeline, lease = leaseSeconds, grace = graceSeconds, last}: Lifeline = {}): Tether => ({
	life: [
		'bash',
		'-c',
		last === undefined ? living : `${living}\n${parting}`,
		'bash',
		at,
		String(lease),
		String(grace),
		...(last === undefined ? [] : [last, String(partingSeconds)]),
	],
	tell: ['bash', '-c', telling, 'bash', at],
});

export const borrowersLifeline = lifelineOf({grace: borrowersGraceSeconds});

export const lifelineAnywhere = ({at = '/tmp/.lifeline', lease = leaseSeconds} = {}): Tether => ({
	life: ['sh', '-c', livingAnywhere, 'sh', at, String(looks), String(lease / looks)],
	tell: ['sh', '-c', tellingAnywhere, 'sh', at],
});

/** @returns what lets go of it: the worker is about to be removed */
export function tether(engine: Engine, id: string, {tell}: Tether): () => void {
	const letGo = new AbortController();
	void hold(engine, id, tell, letGo.signal);
	return () => letGo.abort();
}

async function hold(engine: Engine, id: string, tell: Tether['tell'], signal: AbortSignal): Promise<void> {
	while (!signal.aborted) {
		try {
			await holdOnce(engine, id, tell, signal);
		} catch (error) {
			// It is gone, or stopped.
			if (statusOf(error) === 404 || statusOf(error) === 409) {
				return;
			}
		}

		await delay(retryMs, undefined, {signal, ref: false}).catch(() => {});
	}
}

/** Until the connection breaks. */
async function holdOnce(engine: Engine, id: string, argv: Tether['tell'], signal: AbortSignal): Promise<void> {
	const {stream} = await engine.exec(id, {argv, env: [], user: '0', stdin: true});
	const {promise: broken, resolve} = Promise.withResolvers<void>();
	const beat = setInterval(() => stream.write('\n'), beatMs);
	beat.unref();
	stream.on('error', () => resolve());
	stream.once('close', resolve);
	stream.once('end', resolve);
	stream.resume();
	const end = () => stream.destroy();
	signal.addEventListener('abort', end, {once: true});
	if (signal.aborted) {
		end();
	}

	await broken;
	clearInterval(beat);
	signal.removeEventListener('abort', end);
	stream.destroy();
}
