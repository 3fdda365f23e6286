/** What an earlier life of the agent left quiesced. It was killed, so what it had asked the engine for may happen only now. */
import {setTimeout as delay} from 'node:timers/promises';
import {ResumeError} from '../base/errors.ts';
import type {Engine} from './engine.ts';
import {isRemoved} from './gone.ts';
import {untilStarted} from './health.ts';
import {unlessGone} from './refusal.ts';
import {
	EndedError,
	isUndoable,
	type Journal,
	type JournalEntry,
	lagOf,
	needsIn,
	neverRan,
	stopLagMs,
	type Undo,
	undoOne,
} from './resume.ts';

interface Unfinished {
	engine: Engine;
	/** All of it: what a run of this life has quiesced is seen in it. */
	journal: Journal;
	/** Which entries nobody else will undo. */
	isWanted: (entry: JournalEntry) => boolean;
	/** Leaves what is still open to the next life. */
	signal: AbortSignal;
}

/** A start that was refused is tried again after this, while it is watched what becomes of others. */
const retryMs = 2000;

/**
 * Undoes what is left, newest first, all at once but for those that need another to be up first. What fails stays open, to be tried again;
 * so does what a run of this life has quiesced meanwhile. A hook is run once: however it ended, it is over; and so is what was paused and has ended.
 * @returns the names of the containers that were put back, why others were not, what was removed by somebody and is in nobody's journal any more, and how
 * many of the entries are still open
 */
export async function undoUnfinished(options: Unfinished): Promise<{
	undone: string[];
	failures: Array<{entry: JournalEntry; error: unknown}>;
	removed: JournalEntry[];
	open: number;
}> {
	const {engine, journal, isWanted, signal} = options;
	const undone: string[] = [];
	const removed: JournalEntry[] = [];
	const failures = new Map<JournalEntry, unknown>();
	let watched = 0;
	const left = () => journal.open().filter(isWanted);
	const watching = async (entry: JournalEntry): Promise<boolean> => {
		watched++;
		return watch(options, entry).finally(() => watched--);
	};
	/** Of each entry that comes before in this order: when those that need it may go on. */
	const back: Array<{entry: JournalEntry; isBack: Promise<unknown>}> = [];
	const attempts = left()
		.toReversed()
		.map(async entry => {
			const attempt = async (): Promise<void> => {
				failures.delete(entry);
				try {
					if (!(isOurs(options, entry) && (await undoEntry(options, entry, watching)))) {
						return;
					}

					if (await isRemoved(engine, entry.undo).catch(() => false)) {
						removed.push(entry);
					} else {
						undone.push(entry.undo.containerName);
					}
				} catch (error) {
					failures.set(entry, error);
				}
			};
			const earlier = back.filter(other => precedes(other.entry, entry)).map(({isBack}) => isBack);
			const first = Promise.all(earlier).then(attempt);
			const isNeeded =
				entry.undo.kind !== 'hook' &&
				left().some(({run, undo}) =>
					undo.kind === 'hook'
						? run === entry.run && undo.containerId === entry.undo.containerId
						: needsIn(undo).includes(entry.undo.containerId),
				);
			back.push({entry, isBack: isNeeded ? first.then(async () => untilStarted(engine, entry.undo.containerId, 'healthy')) : first});
			await first;
			// Another may be watched for as long as it has to end: who is down meanwhile does not wait for that.
			while (watched > 0 && !signal.aborted && entry.undo.kind !== 'hook' && failures.has(entry) && isOurs(options, entry)) {
				await delay(retryMs, undefined, {signal}).then(attempt, () => {});
			}
		});
	await Promise.all(attempts);
	return {undone, failures: [...failures].map(([entry, error]) => ({entry, error})), removed, open: left().length};
}

/** A container comes after those that it needs; a hook, which needs its container, after all that the run has quiesced. */
const precedes = (first: JournalEntry, {run, undo}: JournalEntry): boolean =>
	first.run === run && (undo.kind === 'hook' || needsIn(undo).includes(first.undo.containerId));

/** What is not in the state that is to be undone may be so in a moment. */
async function undoEntry(options: Unfinished, entry: JournalEntry, watching: (entry: JournalEntry) => Promise<boolean>): Promise<boolean> {
	return (await isUndoable(options.engine, entry.undo)) ? undoNow(options, entry) : watching(entry);
}

/** What was quiesced a moment ago is not put back, although the engine said before that it could be. */
async function undoNow({engine, journal, ...options}: Unfinished, entry: JournalEntry): Promise<boolean> {
	try {
		const isBack = await undoOne(engine, entry.undo, () => isOurs({engine, journal, ...options}, entry));
		if (isBack) {
			journal.clear(entry.id);
		}

		return isBack;
	} catch (error) {
		if (error instanceof EndedError || (entry.undo.kind === 'hook' && error instanceof ResumeError && !neverRan(error.cause))) {
			journal.clear(entry.id);
		}

		throw error;
	}
}

/** Nobody else has undone it, and nobody else will. */
const isOurs = (options: Unfinished, entry: JournalEntry): boolean =>
	options.journal.open().some(({id}) => id === entry.id) && options.isWanted(entry) && !isSuperseded(options, entry);

/**
 * Since it was put into the journal, a run of this life has touched the container: its undo is that run's business now. Of lives that died one after the
 * other there may be several entries for one container: they are undone with one another, so that none is left for a start at which it runs no more on purpose.
 */
const isSuperseded = ({journal, isWanted}: Unfinished, {id, undo}: JournalEntry): boolean =>
	undo.kind !== 'hook' &&
	journal.open().some(other => other.id > id && other.undo.kind !== 'hook' && isOfSame(other.undo, undo) && !isWanted(other));

/** A service of Swarm that was scaled has another container each time. */
const isOfSame = (one: Undo, other: Undo): boolean =>
	one.kind === 'scale' && other.kind === 'scale' ? one.service === other.service : one.containerId === other.containerId;

/** The container runs. It was not touched yet when the agent died, it was put back, or it is about to be paused or stopped. @returns whether it was that */
async function watch(options: Unfinished, entry: JournalEntry): Promise<boolean> {
	const {engine, signal} = options;
	const details = await engine.inspect(entry.undo.containerId).catch(unlessGone);
	const begun = Date.now();
	let lagMs = lagOf(entry.undo, details?.stopTimeoutSeconds ?? 0);
	let isAsked = entry.undo.kind !== 'start';
	while (!signal.aborted && isOurs(options, entry)) {
		if (await isUndoable(engine, entry.undo)) {
			return undoNow(options, entry);
		}

		const watchedMs = Date.now() - begun;
		if (watchedMs > lagMs) {
			await undoNow(options, entry);
			return false;
		}

		if (!isAsked && watchedMs > stopLagMs) {
			isAsked = true;
			lagMs = (await isSpared(engine, entry.undo).catch(() => false)) ? 0 : lagMs;
		}

		await delay(100, undefined, {signal}).catch(() => {});
	}

	return false;
}

/** By which the clocks of the agent and its engine may differ beyond what the engine says. */
const clockMs = 60_000;

/** Nobody has asked it to end since that was written down, or since it was started again: what the dead agent had asked for would be under way by now. */
async function isSpared(engine: Engine, undo: Undo): Promise<boolean> {
	const at = (undo.kind === 'start' && undo.at) || Number.NaN;
	const [{isPodman, time}, {startedAt}] = await Promise.all([engine.info(), engine.inspect(undo.containerId)]);
	const since = Math.max(at + time - Date.now() - clockMs, Date.parse(startedAt));
	return isPodman !== true && (await engine.signalled(undo.containerId, since)) === false;
}
