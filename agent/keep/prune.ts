/**
 * Maintenance runs: what nobody needs is removed, and what is there is proven to be whole. restic runs in a worker, so that a lock which
 * it leaves when it is killed tells whose it was.
 */

import {type Place, succeed} from '../../base/command.ts';
import {explain} from '../../base/errors.ts';
import {type Tell, warner} from '../../base/events.ts';
import {type PruneResult, repositoryTarget} from '../../base/results.ts';
import type {RepositoryDoor} from '../repository/door.ts';
import type {Access, Count, Restic, ResticOptions} from '../restic/restic.ts';
import type {RunContext} from '../runs/runs.ts';
import {withWorkers} from '../runs/shell.ts';
import type {Workshop} from '../runs/workshop.ts';
import type {Housekeeping} from '../state/housekeeping.ts';
import {finishForgetting, forgetPoints} from './forgetting.ts';
import type {Retention} from './retention.ts';
import type {Sweeper} from './sweep.ts';

export interface MaintenanceParts {
	workshop: Workshop;
	/** restic in a worker that waits for other users of the repository for a while. */
	restic: (place: Place, options: ResticOptions) => Restic;
	state: Housekeeping;
	sweeper: Pick<Sweeper, 'releaseLocks'>;
	door: Pick<RepositoryDoor, 'learn' | 'unlearn'>;
	repository: {name: string; cacheDirectory: string; access?: Access | undefined};
}

/** Never rejects. @param decide what goes, decided when nothing else runs any more */
export async function prune(parts: MaintenanceParts, context: RunContext, decide: () => Promise<Retention[]>): Promise<PruneResult> {
	const {state} = parts;
	const {signal, tell} = context;
	const done: Pick<PruneResult, 'removed' | 'held' | 'bytes'> = {removed: [], held: [], bytes: null};
	const error = await inWorker(parts, context, async restic => {
		tell({type: 'step', step: 'forget'});
		const retentions = await decide();
		done.held = retentions.flatMap(({target, held}) => (held === null ? [] : [{target, reason: held}]));
		for (const {target, reason} of done.held) {
			tell({type: 'warning', message: `no point of \`${target}\` is removed: ${reason}`});
		}

		await finishForgetting(restic, state, await restic.snapshots(['holdfast'], signal));
		const points = retentions.flatMap(({points: verdicts}) => verdicts.flatMap(({action, point}) => (action === 'remove' ? [point] : [])));
		await forgetPoints(restic, state, points, {signal}).catch((error: unknown) => {
			parts.door.learn(error);
			throw error;
		});
		done.removed = points.map(({id, target}) => ({target, point: id}));
		if (points.length > 0) {
			parts.door.unlearn();
		}

		tell({type: 'step', step: 'prune'});
		await restic.prune({signal, onCount: counter(tell)});
		tell({type: 'step', step: 'measure'});
		done.bytes = await restic.size(signal);
	});
	return {...ended(parts, context, error), ...done};
}

export const counter =
	(tell: Tell) =>
	({done, total, unit}: Count): void =>
		tell({type: 'progress', source: unit, bytes: done, totalBytes: total, unit});

/** @returns what went wrong, for people */
export async function inWorker(
	parts: MaintenanceParts,
	{run, signal, tell}: RunContext,
	work: (restic: Restic) => Promise<void>,
): Promise<string | undefined> {
	const {workshop, sweeper, repository} = parts;
	const failures: unknown[] = [];
	try {
		signal.throwIfAborted();
		const {warning} = await sweeper.releaseLocks();
		if (warning !== undefined) {
			tell({type: 'warning', message: warning});
		}

		const failed = await withWorkers(workshop, {run, tell}, async workforce => {
			const worker = await workforce.repository([], 'read');
			await removeCheckCaches(worker.run, repository.cacheDirectory);
			await work(parts.restic(worker.run, {onTrouble: warner(tell)}));
		});
		failures.push(...failed);
	} catch (error) {
		failures.push(error);
	}

	if (failures.length > 0) {
		// A restic that was killed has left a lock that shuts out everybody, and this run has nothing under way any more.
		await sweeper.releaseLocks(run).catch((left: unknown) => failures.push(left));
	}

	return failures.length === 0 ? undefined : failures.map(explain).join('; ');
}

/** What a check that was killed left: it keeps what it reads apart, and nothing else is under way now. */
async function removeCheckCaches(place: Place, folder: string): Promise<void> {
	await succeed(place, {
		argv: ['find', folder, '-mindepth', '1', '-maxdepth', '1', '-name', 'restic-check-cache-*', '-exec', 'rm', '-rf', '{}', '+'],
	});
}

export function ended({repository}: MaintenanceParts, {run, startedAt}: RunContext, error: string | undefined) {
	return {
		run,
		target: repositoryTarget(repository.name),
		startedAt: startedAt.toISOString(),
		outcome: error === undefined ? ('success' as const) : ('failed' as const),
		durationSeconds: (Date.now() - startedAt.getTime()) / 1000,
		...(error === undefined ? {} : {error}),
	};
}
