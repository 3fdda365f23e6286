/** Putting one thing back that was quiesced: what must be undone, where that is written down, and how it is done. */
import {setTimeout as delay} from 'node:timers/promises';
import {ending, lastLines} from '../base/command.ts';
import {ResumeError, RunError} from '../base/errors.ts';
import {label} from '../base/label.ts';
import type {Container} from './container.ts';
import type {Engine} from './engine.ts';
import {inContainer} from './exec.ts';
import {type Bounded, untilEnded} from './executing.ts';
import {statusOf, unlessGone} from './refusal.ts';

export type Undo =
	| {kind: 'unpause'; containerId: string; containerName: string}
	/** `needs`: ids of those that must be up before it. `at`: when that was written down, in milliseconds since 1970; unknown where an older Holdfast did. */
	| {kind: 'start'; containerId: string; containerName: string; needs?: readonly string[] | undefined; at?: number | undefined}
	/** A service of Swarm gets as many tasks as it had. The container is that of the task that was stopped with it; `container`: as it was listed. */
	| {
			kind: 'scale';
			containerId: string;
			containerName: string;
			service: string;
			serviceName: string;
			replicas: number;
			container?: Container | undefined;
	  }
	/** The hook that belongs after the window: it puts back what the one before it did. */
	| HookUndo;

/** Ids of those that must be up before it. Pure. */
export const needsIn = (undo: Undo): readonly string[] => (undo.kind === 'start' ? (undo.needs ?? []) : []);

interface HookUndo extends HookCall {
	kind: 'hook';
}

/** Where a hook stands in the labels, without the prefix. */
export type HookLabel = 'before' | 'after' | 'restore.before' | 'restore.after';

/** A command of the app's own, in its container. */
export interface HookCall {
	containerId: string;
	containerName: string;
	/** The label that it stands in; unknown where an older Holdfast wrote it down. */
	label?: HookLabel | undefined;
	argv: readonly [string, ...string[]];
	user?: string | undefined;
	timeoutMs: number;
	/** In the same container, and to be over before: an agent that was killed at one of these left it at work. Absent where an older Holdfast wrote it down. */
	follows?: readonly Bounded[] | undefined;
}

/** It was paused, and has ended since, by somebody's hand or its own: it is down, and nothing is left to be undone. */
export class EndedError extends ResumeError {}

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

/** What runs under way have quiesced is seen as it will be when they are over: they put it back, and who comes next waits for them. */
export function asResumed(
	containers: readonly Container[],
	journal: Pick<Journal, 'open'>,
	isUnderWay: (entry: JournalEntry) => boolean,
): Container[] {
	const quiesced = new Set(
		journal.open().flatMap(entry => (entry.undo.kind !== 'hook' && isUnderWay(entry) ? [entry.undo.containerId] : [])),
	);
	return containers.map(container => (quiesced.has(container.id) ? {...container, state: 'running'} : container));
}

/** How long the engine may be out of reach while a container is to be put back, before a person is called. */
const resumeDeadlineMs = 20_000;

/** How long the engine may refuse to: what it means (a port that is taken, a mount that is gone) it refuses again. */
const refusalDeadlineMs = 3000;

/** A pause that the engine was asked for has happened by then, on a busy machine too. */
const pauseLagMs = 5000;

/** Beyond the container's own time to stop, which the engine goes on waiting for when nobody listens any more. */
export const stopLagMs = 5000;

/** How long after a call that nobody heard the end of it may happen yet. */
export const lagOf = (undo: Undo, stopTimeoutSeconds: number): number =>
	undo.kind === 'start' || undo.kind === 'scale' ? Math.max(stopTimeoutSeconds, 0) * 1000 + stopLagMs : pauseLagMs;

/**
 * Puts one container back, trying again while the engine fails. A container that is gone needs nothing: whoever
 * recreated it has started the new one.
 * @param isWanted asked again after the engine was: what it says may be old by then
 * @param isPending nobody heard what became of the call that is to be undone, and it may happen yet
 * @returns whether the container is back; false when it is not wanted any more
 * @throws {EndedError} when it is over all the same
 * @throws {ResumeError}
 */
export async function undoOne(engine: Engine, undo: Undo, isWanted: () => boolean = () => true, isPending = false): Promise<boolean> {
	const begun = Date.now();
	for (;;) {
		try {
			return await attemptUndo(engine, undo, {isWanted, isPending});
		} catch (error) {
			if (undo.kind !== 'scale' && statusOf(error) === 404 && (await isGone(engine, undo))) {
				return true;
			}

			if (error instanceof EndedError) {
				throw error;
			}

			const patienceMs = statusOf(error) === undefined ? resumeDeadlineMs : refusalDeadlineMs;
			if (undo.kind === 'hook' || Date.now() - begun > patienceMs) {
				throw resumeError(undo, error);
			}
		}

		await delay(500);
	}
}

async function attemptUndo(
	engine: Engine,
	undo: Undo,
	{isWanted, isPending}: {isWanted: () => boolean; isPending: boolean},
): Promise<boolean> {
	if (undo.kind === 'scale') {
		const service = await engine.service(undo.service);
		const isStillWanted = isWanted();
		// A service that is written anew has another version, and Swarm refuses what was asked of the one before. Who was scaled up by somebody else meanwhile is no longer said to wait for it.
		if (isStillWanted && service !== undefined && (service.replicas === 0 || isPending || service.scaled !== undefined)) {
			await engine.scale(undo.service, service.replicas === 0 ? undo.replicas : service.replicas);
		}

		return isStillWanted;
	}

	const {state, exitCode} = await engine.inspect(undo.containerId);
	if (!isWanted()) {
		return false;
	}

	if (undo.kind === 'hook') {
		await runHook(engine, undo);
	} else if (undo.kind === 'unpause') {
		if (state === 'paused') {
			await engine.unpause(undo.containerId);
		} else if (state === 'exited') {
			throw new EndedError(
				`container \`${undo.containerName}\` was paused for a run, and has ended since (exit code ${exitCode}): it is down`,
				{
					hint: `whoever stopped it may have meant it so; if nobody did: docker start ${undo.containerName}`,
				},
			);
		}
	} else if (state === 'exited' || state === 'created') {
		await engine.start(undo.containerId);
	}

	return true;
}

/** What is not there may also be another container, whose namespace this one lives in. */
async function isGone(engine: Engine, {containerId}: Undo): Promise<boolean> {
	try {
		await engine.inspect(containerId);
		return false;
	} catch (error) {
		return statusOf(error) === 404;
	}
}

/** Whether the container is in the state that is to be undone; true for one that is gone, whose undo is quickly done. */
export async function isUndoable(engine: Engine, undo: Undo): Promise<boolean> {
	if (undo.kind === 'hook') {
		return true;
	}

	if (undo.kind === 'scale') {
		return ((await engine.service(undo.service))?.replicas ?? 0) === 0;
	}

	const state = (await engine.inspect(undo.containerId).catch(unlessGone))?.state;
	return state === undefined || (undo.kind === 'unpause' ? state === 'paused' : state === 'exited' || state === 'created');
}

/** @throws {RunError} that names the label and the program, and no argument: those may be secrets. Its cause is what the engine said, where it did not run at all */
export async function runHook(engine: Engine, hook: HookCall, signal?: AbortSignal): Promise<void> {
	const {containerId, containerName, label: place, argv, user, timeoutMs, follows = []} = hook;
	await untilEnded(engine, containerId, follows);
	const limit = AbortSignal.timeout(timeoutMs);
	try {
		const {exitCode, stderr, stdout} = await ending(inContainer(engine, containerId), {
			argv,
			...(user === undefined ? {} : {user}),
			signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
		});
		if (exitCode !== 0) {
			throw new RunError(`exit code ${exitCode}: ${lastLines(stderr || stdout)}`);
		}
	} catch (error) {
		const which = `hook ${place === undefined ? '' : `\`${place}\` `}(\`${argv[0]}\`) in container \`${containerName}\``;
		if (limit.aborted) {
			throw new RunError(`${which} did not end within ${timeoutMs / 1000} s`, {
				hint:
					place &&
					`raise \`${label(`${place}.timeout`)}\` where it may take longer; what it leaves running in the background must let go of its output: \`… >/dev/null 2>&1 &\``,
			});
		}

		throw new RunError(`${which} failed`, {cause: error});
	}
}

/** Whether the hook never began: the container was paused or stopped, or the engine failed or was away. One that ran, however it ended, is over. */
export function neverRan(error: unknown): boolean {
	const cause = causeOf(error);
	const status = statusOf(cause) ?? 0;
	return status === 409 || status >= 500 || (cause instanceof Error && 'code' in cause && typeof cause.code === 'string');
}

const causeOf = (error: unknown): unknown => (error instanceof RunError ? causeOf(error.cause) : error);

function resumeError(undo: Undo, cause: unknown): ResumeError {
	const {containerName} = undo;
	if (undo.kind === 'scale') {
		return new ResumeError(`the Swarm service \`${undo.serviceName}\` could not be put back`, {
			cause,
			hint: `run \`docker service scale ${undo.serviceName}=${undo.replicas}\` on a manager by hand`,
		});
	}

	const what = `container \`${containerName}\` could not be put back`;
	if (undo.kind === 'start' && statusOf(cause) === 404) {
		return new ResumeError(`${what}: what it lives in (its network, PID or IPC namespace) belongs to a container that was replaced`, {
			cause,
			hint: `recreate it, so that it joins the new one: docker compose up --detach --force-recreate`,
		});
	}

	const command = {
		unpause: `docker unpause ${containerName}`,
		start: `docker start ${containerName}`,
		hook: `docker exec ${containerName} …`,
	}[undo.kind];
	return new ResumeError(what, {cause, hint: `run \`${command}\` by hand`});
}
