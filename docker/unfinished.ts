/** What an earlier life of the agent left quiesced. It was killed, so what it had asked the engine for may happen only now. */
import {setTimeout as delay} from 'node:timers/promises';
import {type Engine, statusOf} from './engine.ts';
import {type Journal, type Undo, undoOne} from './resume.ts';

/** A pause that the engine was asked for has happened by then, on a busy machine too. */
const pauseLagMs = 5000;

/** Beyond the container's own time to stop, which the engine goes on waiting for when nobody listens any more. */
const stopLagMs = 5000;

interface Unfinished {
	engine: Engine;
	journal: Journal;
	/** The newest entry of the earlier life: what is newer belongs to a run of this one. */
	upTo: number;
	/** Leaves what is still open to the next life. */
	signal: AbortSignal;
}

type Entry = ReturnType<Journal['open']>[number];

/**
 * Undoes what is left, newest first. What fails stays open, to be tried again; so does what a run of this life has quiesced meanwhile.
 * @returns the names of the containers that were put back, why others were not, and how many entries are still open
 */
export async function undoUnfinished(options: Unfinished): Promise<{undone: string[]; failures: unknown[]; open: number}> {
	const {engine, journal, upTo} = options;
	const undone: string[] = [];
	const failures: unknown[] = [];
	const late: Entry[] = [];
	const attempt = async (entry: Entry, put: () => Promise<boolean>) => {
		try {
			if (!isSuperseded(journal, entry) && (await put())) {
				undone.push(entry.undo.containerName);
			}
		} catch (error) {
			failures.push(error);
		}
	};

	const left = () => journal.open().filter(({id}) => id <= upTo);
	for (const entry of left().toReversed()) {
		await attempt(entry, async () => {
			if (!(await isUndoable(engine, entry.undo))) {
				late.push(entry);
				return false;
			}

			await undoOne(engine, entry.undo);
			journal.clear(entry.id);
			return true;
		});
	}

	await Promise.all(late.map(async entry => attempt(entry, async () => watch(options, entry))));
	return {undone, failures, open: left().length};
}

/** Since it was put into the journal, a run of this life has touched the container: its undo is that run's business now. */
const isSuperseded = (journal: Journal, {id, undo}: Entry): boolean =>
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
async function watch({engine, journal, signal}: Unfinished, entry: Entry): Promise<boolean> {
	const details = await engine.inspect(entry.undo.containerId).catch(unlessGone);
	const lagMs = entry.undo.kind === 'unpause' ? pauseLagMs : (details?.stopTimeoutSeconds ?? 0) * 1000 + stopLagMs;
	const deadline = Date.now() + lagMs;
	while (!signal.aborted && !isSuperseded(journal, entry)) {
		if (await isUndoable(engine, entry.undo)) {
			await undoOne(engine, entry.undo);
			journal.clear(entry.id);
			return true;
		}

		if (Date.now() > deadline) {
			journal.clear(entry.id);
			return false;
		}

		await delay(100, undefined, {signal}).catch(() => {});
	}

	return false;
}
