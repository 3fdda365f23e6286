/** Hooks: commands of the app's own that run around the quiesced window. */

import type {Engine} from './engine.ts';
import {type HookCall, type Journal, neverRan, runHook} from './resume.ts';

interface Hooks {
	engine: Engine;
	journal: Journal;
	run: string;
	hooks: ReadonlyArray<{container: {id: string; name: string}; hook: Hook; when: 'before' | 'after'}>;
	/** What they are around, where that is no backup. */
	of?: 'restore';
	signal: AbortSignal;
	/** A hook that failed and whose label says `continue`. */
	onTolerated: (error: unknown) => void;
	/** Called before the hooks of either side run. */
	onSide: (when: 'before' | 'after') => void;
}

/**
 * Runs `work` between the hooks. Each hook that belongs after is in the journal before the first one before runs, and it runs
 * whatever happened: it puts back what the other did.
 */
export async function betweenHooks<Value>(options: Hooks, work: () => Promise<Value>): Promise<Value> {
	const {engine, journal, run, signal, onTolerated, onSide} = options;
	const hooks = options.hooks.map(each => ({...each, call: callOf(each, options)}));
	if (hooks.length === 0) {
		return work();
	}

	const begun = hooks.filter(({when}) => when === 'before').map(({call}) => call);
	const followed = (id: string) => begun.filter(({containerId}) => containerId === id).map(({argv, timeoutMs}) => ({argv, timeoutMs}));
	const after = hooks
		.filter(({when}) => when === 'after')
		.map(({call, hook}) => ({call: {...call, follows: followed(call.containerId)}, hook}));
	const entries = after.map(entry => ({...entry, id: journal.record(run, {kind: 'hook', ...entry.call})}));
	const tolerate = ({onError}: Hook, error: unknown): void => {
		if (onError === 'fail') {
			throw error;
		}

		onTolerated(error);
	};

	const failures: unknown[] = [];
	let value: Value | undefined;
	try {
		onSide('before');
		for (const each of hooks) {
			if (each.when === 'before') {
				await runHook(engine, each.call, signal).catch((error: unknown) => {
					signal.throwIfAborted();
					tolerate(each.hook, error);
				});
			}
		}

		value = await work();
	} catch (error) {
		failures.push(error);
	}

	onSide('after');
	for (const {id, call, hook} of entries) {
		try {
			await runAfter(engine, call, () => journal.clear(id)).catch((error: unknown) => tolerate(hook, error));
		} catch (error) {
			failures.push(error);
		}
	}

	if (failures.length > 0) {
		throw failures.length === 1 ? failures[0] : new AggregateError(failures);
	}

	return value as Value;
}

/** One that ran, however it ended, is over: it would put back nothing when the agent starts again. One that could not be started stays open. */
async function runAfter(engine: Engine, call: HookCall, clear: () => void): Promise<void> {
	try {
		await runHook(engine, call);
		clear();
	} catch (error) {
		if (!neverRan(error)) {
			clear();
		}

		throw error;
	}
}

const callOf = (
	{container: {id, name}, hook: {argv, user, timeoutMs}, when}: Hooks['hooks'][number],
	{of}: Pick<Hooks, 'of'>,
): HookCall => ({
	containerId: id,
	containerName: name,
	label: of === undefined ? when : `${of}.${when}`,
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
