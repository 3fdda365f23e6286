/** Putting one thing back that was quiesced: what must be undone, where that is written down, and how it is done. */
import {setTimeout as delay} from 'node:timers/promises';
import {lastLines, output} from '../base/command.ts';
import {ResumeError, RunError} from '../base/errors.ts';
import {type Engine, statusOf} from './engine.ts';
import {inContainer} from './exec.ts';

export type Undo =
	| {kind: 'unpause'; containerId: string; containerName: string}
	| {kind: 'start'; containerId: string; containerName: string}
	/** The hook that belongs after the window: it puts back what the one before it did. */
	| {
			kind: 'hook';
			containerId: string;
			containerName: string;
			argv: readonly [string, ...string[]];
			user?: string | undefined;
			timeoutMs: number;
	  };

export interface JournalEntry {
	/** Grows from entry to entry. */
	id: number;
	run: string;
	undo: Undo;
}

export interface Journal {
	/** On disk (fsync) when it returns. Written *before* the container is touched. Gives the entry's id. */
	record: (run: string, undo: Undo) => number;
	/** The undo is done. */
	clear: (id: number) => void;
	/** What is still to be undone, oldest first. */
	open: () => JournalEntry[];
}

/** How long the engine may be out of reach while a container is to be put back, before a person is called. */
const resumeDeadlineMs = 20_000;

/** How long the engine may refuse to: what it means (a port that is taken, a mount that is gone) it refuses again. */
const refusalDeadlineMs = 3000;

/**
 * Puts one container back, trying again while the engine fails. A container that is gone needs nothing: whoever
 * recreated it has started the new one.
 * @param isWanted asked again after the engine was: what it says may be old by then
 * @returns whether the container is back; false when it is not wanted any more
 * @throws {ResumeError}
 */
export async function undoOne(engine: Engine, undo: Undo, isWanted: () => boolean = () => true): Promise<boolean> {
	const begun = Date.now();
	for (;;) {
		try {
			return await attemptUndo(engine, undo, isWanted);
		} catch (error) {
			if (statusOf(error) === 404) {
				return true;
			}

			const patienceMs = statusOf(error) === undefined ? resumeDeadlineMs : refusalDeadlineMs;
			if (undo.kind === 'hook' || Date.now() - begun > patienceMs) {
				throw resumeError(undo, error);
			}
		}

		await delay(500);
	}
}

async function attemptUndo(engine: Engine, undo: Undo, isWanted: () => boolean): Promise<boolean> {
	const {state} = await engine.inspect(undo.containerId);
	if (!isWanted()) {
		return false;
	}

	if (undo.kind === 'hook') {
		await runHook(engine, undo);
	} else if (undo.kind === 'unpause') {
		if (state === 'paused') {
			await engine.unpause(undo.containerId);
		}
	} else if (state === 'exited' || state === 'created') {
		await engine.start(undo.containerId);
	}

	return true;
}

export async function runHook(
	engine: Engine,
	hook: {containerId: string; containerName: string; argv: readonly [string, ...string[]]; user?: string | undefined; timeoutMs: number},
	signal?: AbortSignal,
): Promise<void> {
	const {containerId, containerName, argv, user, timeoutMs} = hook;
	const limit = AbortSignal.timeout(timeoutMs);
	try {
		const {exitCode, stderr, stdout} = await output(inContainer(engine, containerId), {
			argv,
			...(user === undefined ? {} : {user}),
			signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
		});
		if (exitCode !== 0) {
			throw new RunError(`exit code ${exitCode}: ${lastLines(stderr || stdout)}`);
		}
	} catch (error) {
		const what = limit.aborted ? `did not end within ${timeoutMs / 1000} s` : 'failed';
		throw new RunError(`hook \`${argv.join(' ')}\` in container \`${containerName}\` ${what}`, {cause: limit.aborted ? undefined : error});
	}
}

function resumeError(undo: Undo, cause: unknown): ResumeError {
	const {containerName} = undo;
	const command = {
		unpause: `docker unpause ${containerName}`,
		start: `docker start ${containerName}`,
		hook: `docker exec ${containerName} …`,
	}[undo.kind];
	return new ResumeError(`container \`${containerName}\` could not be put back`, {cause, hint: `run \`${command}\` by hand`});
}
