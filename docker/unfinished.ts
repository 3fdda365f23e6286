/** What an earlier life of the agent left quiesced. It was killed, so what it had asked the engine for may happen only now. */
import {setTimeout as delay} from 'node:timers/promises';
import {type Engine, statusOf} from './engine.ts';
import {type Journal, type JournalEntry, type Undo, undoOne} from './resume.ts';

/** A pause that the engine was asked for has happened by then, on a busy machine too. */
const pauseLagMs = 5000;

/** Beyond the container's own time to stop, which the engine goes on waiting for when nobody listens any more. */
const stopLagMs = 5000;

interface Unfinished {
	engine: Engine;
	/** All of it: what a run of this life has quiesced is seen in it. */
	journal: Journal;
	/** Which entries nobody else will undo. */
	isWanted: (entry: JournalEntry) => boolean;
	/** Leaves what is still open to the next life. */
	signal: AbortSignal;
}

/**
 * Undoes what is left, newest first. What fails stays open, to be tried again; so does what a run of this life has quiesced meanwhile.
 * @returns the names of the containers that were put back, why others were not, and how many of the entries are still open
 */
export async function undoUnfinished(options: Unfinished): Promise<{undone: string[]; failures: unknown[]; open: number}> {
	const {engine, journal, isWanted} = options;
	const undone: string[] = [];
	const failures: unknown[] = [];
	const late: JournalEntry[] = [];
	const attempt = async (entry: JournalEntry, put: () => Promise<boolean>) => {
		try {
			if (isOurs(options, entry) && (await put())) {
				undone.push(entry.undo.containerName);
			}
		} catch (error) {
			failures.push(error);
		}
	};

	const left = () => journal.open().filter(isWanted);
	for (const entry of left().toReversed()) {
		await attempt(entry, async () => {
			if (!(await isUndoable(engine, entry.undo))) {
				late.push(entry);
				return false;
			}

			return undoEntry(options, entry);
		});
	}

	await Promise.all(late.map(async entry => attempt(entry, async () => watch(options, entry))));
	return {undone, failures, open: left().length};
}

/** What was quiesced a moment ago is not put back, although the engine said before that it could be. */
async function undoEntry(options: Unfinished, entry: JournalEntry): Promise<boolean> {
	const isBack = await undoOne(options.engine, entry.undo, () => isOurs(options, entry));
	if (isBack) {
		options.journal.clear(entry.id);
	}

	return isBack;
}

/** Nobody else has undone it, and nobody else will. */
const isOurs = ({journal, isWanted}: Unfinished, entry: JournalEntry): boolean =>
	journal.open().some(({id}) => id === entry.id) && isWanted(entry) && !isSuperseded(journal, entry);

/** Since it was put into the journal, a run of this life has touched the container: its undo is that run's business now. */
const isSuperseded = (journal: Journal, {id, undo}: JournalEntry): boolean =>
	undo.kind !== 'hook' &&
	journal.open().some(other => other.id > id && other.undo.kind !== 'hook' && other.undo.containerId === undo.containerId);

async function isUndoable(engine: Engine, undo: Undo): Promise<boolean> {
	if (undo.kind === 'hook') {
		return true;
	}

	const state = (await engine.inspect(undo.containerId).catch(unlessGone))?.state;
	return state === undefined || (undo.kind === 'unpause' ? state === 'paused' : state === 'exited' || state === 'created');
}

function unlessGone(error: unknown): undefined {
	if (statusOf(error) !== 404) {
		throw error;
	}
}

/** The container runs. It was not touched yet when the agent died, or it is about to be paused or stopped. @returns whether it was */
async function watch(options: Unfinished, entry: JournalEntry): Promise<boolean> {
	const {engine, journal, signal} = options;
	const details = await engine.inspect(entry.undo.containerId).catch(unlessGone);
	const lagMs = entry.undo.kind === 'unpause' ? pauseLagMs : (details?.stopTimeoutSeconds ?? 0) * 1000 + stopLagMs;
	const deadline = Date.now() + lagMs;
	while (!signal.aborted && isOurs(options, entry)) {
		if (await isUndoable(engine, entry.undo)) {
			return undoEntry(options, entry);
		}

		if (Date.now() > deadline) {
			journal.clear(entry.id);
			return false;
		}

		await delay(100, undefined, {signal}).catch(() => {});
	}

	return false;
}
