/** Hooks: commands of the app's own that run around the quiesced window. */
import type {Engine} from './engine.ts';
import type {Hook} from './labels.ts';
import {type Journal, runHook, type Undo} from './quiesce.ts';

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
}

/**
 * Runs `work` between the hooks. Each hook that belongs after is in the journal before the first one before runs, and it runs
 * whatever happened: it puts back what the other did.
 * @returns what the work gave, and how long the app was between its hooks
 */
export async function betweenHooks<Value>(options: Hooks, work: () => Promise<Value>): Promise<{value: Value; windowMs: number}> {
	const {engine, journal, run, hooks, signal, onTolerated, onSide} = options;
	if (hooks.length === 0) {
		return {value: await work(), windowMs: 0};
	}

	const after = hooks.filter(({when}) => when === 'after').map(({container, hook}) => ({undo: undoOf(container, hook), hook}));
	const entries = after.map(entry => ({...entry, id: journal.record(run, entry.undo)}));
	const tolerate = async ({onError}: Hook, running: Promise<void>) => {
		try {
			await running;
		} catch (error) {
			if (onError === 'fail') {
				throw error;
			}

			onTolerated(error);
		}
	};

	const started = performance.now();
	const failures: unknown[] = [];
	let value: Value | undefined;
	try {
		onSide('before');
		for (const {container, hook, when} of hooks) {
			if (when === 'before') {
				await tolerate(hook, runHook(engine, undoOf(container, hook), signal));
			}
		}

		value = await work();
	} catch (error) {
		failures.push(error);
	}

	onSide('after');
	for (const {id, undo, hook} of entries) {
		try {
			await tolerate(hook, runHook(engine, undo));
		} catch (error) {
			failures.push(error);
		} finally {
			// It was run: running it once more after a restart of the agent would put back nothing.
			journal.clear(id);
		}
	}

	if (failures.length > 0) {
		throw failures.length === 1 ? failures[0] : new AggregateError(failures);
	}

	return {value: value as Value, windowMs: performance.now() - started};
}

const undoOf = ({id, name}: {id: string; name: string}, {argv, user, timeoutMs}: Hook): Undo & {kind: 'hook'} => ({
	kind: 'hook',
	containerId: id,
	containerName: name,
	argv,
	user,
	timeoutMs,
});
