/** Hooks: commands of the app's own that run around the quiesced window. */

import {type Engine, statusOf} from './engine.ts';
import {type Journal, runHook, type Undo} from './resume.ts';

interface Hooks {
	engine: Engine;
	journal: Journal;
	run: string;
	hooks: ReadonlyArray<{container: {id: string; name: string}; hook: Hook; when: 'before' | 'after'}>;
	signal: AbortSignal;
	/** A hook that failed and whose label says `continue`. */
	onTolerated: (error: unknown) => void;
	/** Called before the hooks of either side run. */
	onSide: (when: 'before' | 'after') => void;
	/** Called after the last hook, whatever the outcome: how long the app was between its hooks. Not called where there are none. */
	onWindow: (windowMs: number) => void;
}

/**
 * Runs `work` between the hooks. Each hook that belongs after is in the journal before the first one before runs, and it runs
 * whatever happened: it puts back what the other did.
 */
export async function betweenHooks<Value>(options: Hooks, work: () => Promise<Value>): Promise<Value> {
	const {engine, journal, run, hooks, signal, onTolerated, onSide, onWindow} = options;
	if (hooks.length === 0) {
		return work();
	}

	const after = hooks.filter(({when}) => when === 'after').map(({container, hook}) => ({undo: undoOf(container, hook), hook}));
	const entries = after.map(entry => ({...entry, id: journal.record(run, entry.undo)}));
	const tolerate = ({onError}: Hook, error: unknown): void => {
		if (onError === 'fail') {
			throw error;
		}

		onTolerated(error);
	};

	const started = performance.now();
	const failures: unknown[] = [];
	let value: Value | undefined;
	try {
		onSide('before');
		for (const {container, hook, when} of hooks) {
			if (when === 'before') {
				await runHook(engine, undoOf(container, hook), signal).catch((error: unknown) => {
					signal.throwIfAborted();
					tolerate(hook, error);
				});
			}
		}

		value = await work();
	} catch (error) {
		failures.push(error);
	}

	onSide('after');
	for (const {id, undo, hook} of entries) {
		try {
			await runAfter(engine, undo, () => journal.clear(id)).catch((error: unknown) => tolerate(hook, error));
		} catch (error) {
			failures.push(error);
		}
	}

	onWindow(performance.now() - started);
	if (failures.length > 0) {
		throw failures.length === 1 ? failures[0] : new AggregateError(failures);
	}

	return value as Value;
}

/** One that ran, however it ended, is over: it would put back nothing when the agent starts again. One that could not be started stays open. */
async function runAfter(engine: Engine, undo: Undo & {kind: 'hook'}, clear: () => void): Promise<void> {
	try {
		await runHook(engine, undo);
		clear();
	} catch (error) {
		const refused = error instanceof Error ? statusOf(error.cause) : undefined;
		if (refused === undefined || refused === 404) {
			clear();
		}

		throw error;
	}
}

const undoOf = ({id, name}: {id: string; name: string}, {argv, user, timeoutMs}: Hook): Undo & {kind: 'hook'} => ({
	kind: 'hook',
	containerId: id,
	containerName: name,
	argv,
	user,
	timeoutMs,
});

export interface Hook {
	argv: readonly [string, ...string[]];
	user?: string | undefined;
	timeoutMs: number;
	onError: 'fail' | 'continue';
}
