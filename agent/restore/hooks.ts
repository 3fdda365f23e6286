/** The application's own commands around a restore, or an undo: maintenance mode, a cache to be flushed, an index to be made again. */
import {explain} from '../../base/errors.ts';
import type {Tell} from '../../base/events.ts';
import {betweenHooks} from '../../docker/hooks.ts';
import type {PlannedHook} from '../plan/planned.ts';
import type {RestoreWorkshop} from './context.ts';

interface Around {
	run: string;
	hooks: readonly PlannedHook[];
	signal: AbortSignal;
	tell: Tell;
	work: () => Promise<void>;
	/** One that runs before failed: nothing else was done. */
	onRefused?: (error: unknown) => Promise<void>;
}

/** What belongs after runs whatever happened; where the agent is killed in between, its next life runs it. */
export async function aroundRestore(
	{engine, journal}: Pick<RestoreWorkshop, 'engine' | 'journal'>,
	{run, hooks, signal, tell, work, onRefused}: Around,
): Promise<void> {
	let hasBegun = false;
	try {
		await betweenHooks(
			{
				engine,
				journal,
				run,
				hooks,
				of: 'restore',
				signal,
				onSide: side => tell({type: 'step', step: side === 'before' ? 'before-hooks' : 'after-hooks'}),
				onTolerated: error => tell({type: 'warning', message: explain(error)}),
			},
			async () => {
				hasBegun = true;
				await work();
			},
		);
	} catch (error) {
		if (!hasBegun) {
			await onRefused?.(error);
		}

		throw error;
	}
}
