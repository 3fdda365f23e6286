/**
 * Holds a `restic backup` at the point where it has opened and locked the repository (the key alone takes half a second by
 * design) but has not looked at any file: it reads `--exclude-file` just then, and that is its standard input.
 */
import {setTimeout as delay} from 'node:timers/promises';
import type {Running} from '../../base/command.ts';

export interface Hold {
	/** Called when restic waits. Never called when it failed before; then the backup rejects. */
	held: () => void;
	/** Resolves when restic may look at the files; when it rejects, no snapshot is made. */
	go: Promise<void>;
}

/**
 * restic opens `/dev/stdin` by its path, which only a real pipe allows; `tee` makes one of any standard input. Should it die
 * of anything but the end of restic, restic must not begin by itself: the whole group dies. With `-p` it looks at its output while it waits
 * for input, and ends when restic does (coreutils 9.7; 9.1 not yet). `cat` keeps the death of one that waits to itself until it is let go.
 */
const script = '{ tee -p; case $? in 0) ;; *) kill -KILL 0 ;; esac; } | "$@"';

export const holdingArgv = (restic: readonly [string, ...string[]]): [string, ...string[]] => ['sh', '-c', script, 'hold', ...restic];

/** Comments, more than all buffers on the way hold: when they are written, restic is reading. Made anew each time: it would be a good part of an idle agent. */
const filler = (): Buffer => Buffer.alloc(2048 * 1024, `#${' '.repeat(1022)}\n`);

const write = (running: Running, content: Buffer): Promise<boolean> =>
	new Promise(resolve => {
		running.stdin.once('error', () => resolve(false));
		running.stdin.write(content, error => resolve(!error));
	});

/** Lets a held restic go when it may. Rejects when it ended before that, or when `go` rejects; the caller kills it then. */
export async function release(running: Running, {held, go}: Hold): Promise<void> {
	const ended = running.done.then(() => false);
	const isWaiting = await Promise.race([write(running, filler()), ended]);
	if (isWaiting) {
		held();
		const [letGo] = await Promise.allSettled([Promise.race([go.then(() => true), ended])]);
		if (letGo.status === 'rejected') {
			await refuse(running);
			throw letGo.reason;
		}

		if (letGo.value) {
			running.stdin.end();
			return;
		}
	}

	await running.done;
	throw new Error('restic did not wait to be let go');
}

/** No pattern: restic ends by itself then, and takes its lock with it, which it leaves where it is killed. */
const noPattern = '[\n';

/** It has nothing to do but that. */
const refusedMs = 5000;

async function refuse(running: Running): Promise<void> {
	const limit = new AbortController();
	running.stdin.on('error', () => {});
	running.stdin.end(noPattern);
	await Promise.race([running.done.catch(() => {}), delay(refusedMs, undefined, {signal: limit.signal}).catch(() => {})]);
	limit.abort();
}
