/** What a restore replaced is put back, or let go. Either may be killed and begun again: it goes on where it was. */

import {untilHealthy} from '../docker/health.ts';
import {quiesced} from '../docker/quiesce.ts';
import {hireWorkers, staging, type Worker} from '../docker/worker.ts';
import {explain, RunError} from './errors.ts';
import type {RestoreResult, Tell} from './events.ts';
import type {RestoreRecord} from './replacements.ts';
import type {RestoreWorkshop} from './restore.ts';
import type {UndoPlan} from './restore-plan.ts';
import {into} from './sources/feed.ts';
import {describeReplacement, type UndoContext} from './sources/restoring.ts';
import {release, rollBack} from './sources/restoring-table.ts';

export interface UndoRun {
	run: string;
	record: RestoreRecord;
	plan: UndoPlan;
	tell: Tell;
	/** What an earlier life of the agent stopped for this restore and left so: started again when the data is in order. */
	startStopped?: (() => Promise<void>) | undefined;
}

/** Puts back what was there before the restore. Never rejects. A cancel is not heeded: half of it is no state to stay in. */
export async function undoRestore(workshop: RestoreWorkshop, options: UndoRun): Promise<RestoreResult> {
	const {run, record, plan, tell, startStopped} = options;
	return settle(workshop, options, async (context, progress) => {
		workshop.restores.saveRestore({...record, phase: 'undoing', settledBy: run});
		await quiesced(
			{
				...workshop,
				run,
				containers: plan.stop,
				signal: context.signal,
				onQuiesce: subject => tell({type: 'step', step: 'stop', subject}),
				onResume: () => tell({type: 'step', step: 'start'}),
				onWindow(windowMs) {
					progress.outageSeconds = windowMs / 1000;
				},
			},
			async () => {
				for (const replacement of record.replacements.toReversed()) {
					tell({type: 'step', step: 'swap', subject: replacement.source});
					await rollBack(replacement, context);
				}

				workshop.restores.removeRestore(record.run);
				progress.done = true;
			},
		);
		await startStopped?.();
		await untilHealthy(
			workshop.engine,
			plan.stop.map(({container}) => container),
		);
	});
}

/** Lets go of what was replaced: after this the restore cannot be undone. Never rejects. */
export async function finishRestore(workshop: RestoreWorkshop, options: UndoRun): Promise<RestoreResult> {
	const {run, record, tell} = options;
	return settle(workshop, options, async (context, progress) => {
		workshop.restores.saveRestore({...record, phase: 'finishing', settledBy: run});
		for (const replacement of record.replacements) {
			tell({type: 'step', step: 'clean-up', subject: replacement.source});
			await release(replacement, context);
		}

		workshop.restores.removeRestore(record.run);
		progress.done = true;
	});
}

interface Progress {
	outageSeconds: number;
	done: boolean;
}

async function settle(
	workshop: RestoreWorkshop,
	{run, record, plan, tell}: UndoRun,
	work: (context: UndoContext, progress: Progress) => Promise<void>,
): Promise<RestoreResult> {
	const progress: Progress = {outageSeconds: 0, done: false};
	const errors: string[] = [];
	try {
		tell({type: 'step', step: 'workers'});
		const workforce = await hireWorkers({...workshop, run});
		try {
			const mounts = record.replacements.flatMap(replacement => ('mount' in replacement ? [replacement.mount] : []));
			const worker = await workforce.repository([...new Map(mounts.map(mount => [mount.to, mount])).values()], 'write');
			await work(contextOf(workshop, {record, plan, tell, worker}), progress);
		} finally {
			tell({type: 'step', step: 'clean-up'});
			await workforce.dismiss();
		}
	} catch (error) {
		errors.push(explain(error));
	}

	return {
		run,
		target: record.target,
		point: record.point,
		outcome: progress.done ? (errors.length === 0 ? 'success' : 'partial') : 'failed',
		replaced: progress.done ? [] : record.replacements.flatMap(replacement => describeReplacement(replacement) ?? []),
		outageSeconds: progress.outageSeconds,
		...(errors.length === 0 ? {} : {error: errors.join('; ')}),
	};
}

function contextOf(
	workshop: RestoreWorkshop,
	{record, plan, tell, worker}: Pick<UndoRun, 'record' | 'plan' | 'tell'> & {worker: Worker},
): UndoContext {
	return {
		target: record.target,
		engine: workshop.engine,
		worker: worker.run,
		restic: workshop.restic(worker.run),
		resticInto: file => workshop.restic(into(worker.run, file)),
		staging,
		signal: new AbortController().signal,
		tell,
		container(source) {
			const container = plan.containers.get(source);
			if (container === undefined) {
				throw new RunError(`\`${source}\` has no container any more`);
			}

			return container;
		},
	};
}
