/**
 * Maintenance runs: what nobody needs is removed, and what is there is proven to be whole. restic runs in a worker, so that a lock which
 * it leaves when it is killed tells whose it was.
 */

import {type Place, succeed} from '../../base/command.ts';
import {explain} from '../../base/errors.ts';
import {type Tell, warner} from '../../base/events.ts';
import {type PruneResult, repositoryTarget} from '../../base/results.ts';
import type {RepositoryDoor} from '../repository/door.ts';
import type {Point} from '../repository/points.ts';
import type {Access} from '../restic/repository.ts';
import type {Count, Restic, ResticOptions} from '../restic/restic.ts';
import type {RunContext} from '../runs/runs.ts';
import {withWorkers} from '../runs/shell.ts';
import type {Workshop} from '../runs/workshop.ts';
import type {Housekeeping} from '../state/housekeeping.ts';
import {doneBy, type Election, inTurn, type Turn} from './election.ts';
import {finishForgetting, forgetPoints} from './forgetting.ts';
import {isLocked} from './locks.ts';
import type {Retention} from './retention.ts';
import type {Sweeper} from './sweep.ts';

export interface MaintenanceParts {
	workshop: Workshop;
	/** restic in a worker that waits for other users of the repository for a while. */
	restic: (place: Place, options: ResticOptions) => Restic;
	state: Housekeeping;
	sweeper: Pick<Sweeper, 'releaseLocks'>;
	door: Pick<RepositoryDoor, 'learn' | 'unlearn'>;
	election: Pick<Election, 'record'>;
	repository: {name: string; cacheDirectory: string; access?: Access | undefined};
}

interface PruneOptions {
	/** What goes, decided when nothing else runs any more. */
	decide: () => Promise<Retention[]>;
	/** Undefined where a person asked for it. */
	turn: Turn | undefined;
}

/** Never rejects. What no rule keeps goes in any case: that is each agent's own. */
export async function prune(parts: MaintenanceParts, context: RunContext, {decide, turn}: PruneOptions): Promise<PruneResult> {
	const {signal, tell} = context;
	const done: Pick<PruneResult, 'removed' | 'held' | 'bytes'> = {removed: [], held: [], bytes: null};
	const forget = async (restic: Restic, retentions: readonly Retention[]): Promise<void> => {
		tell({type: 'step', step: 'forget'});
		done.removed = await forgetExpired(parts, restic, {expired: expiredAmong(retentions), signal});
	};
	const decided = async (): Promise<Retention[]> => {
		const retentions = await decide();
		done.held = heldAmong(retentions, tell);
		return retentions;
	};

	const {by, failure} = await inTurn(turn, async () =>
		inWorker(parts, context, async restic => {
			await forget(restic, await decided());
			tell({type: 'step', step: 'prune'});
			await restic.prune({signal, onCount: counter(tell)});
			tell({type: 'step', step: 'measure'});
			done.bytes = await restic.size(signal);
			await putOnRecord(parts, tell, {operation: 'prune', readData: null});
		}),
	);
	if (by === undefined) {
		return {...ended(parts, context, failure), ...done};
	}

	const left = await forgetOnly(parts, context, {decided, forget});
	return {...ended(parts, context, left), ...done, doneBy: doneBy(by)};
}

interface Forgetting {
	decided: () => Promise<Retention[]>;
	forget: (restic: Restic, retentions: readonly Retention[]) => Promise<void>;
}

/** Another did the rest. Nobody is kept out where nothing is to go, and what cannot go now goes after a backup. */
async function forgetOnly(parts: MaintenanceParts, context: RunContext, {decided, forget}: Forgetting): Promise<Failure | undefined> {
	let retentions: Retention[];
	try {
		retentions = await decided();
	} catch (error) {
		return failureOf([error]);
	}

	if (expiredAmong(retentions).length === 0 && parts.state.forgetting().size === 0) {
		return undefined;
	}

	const failure = await inWorker(parts, context, async restic => forget(restic, retentions));
	if (failure?.isLocked !== true) {
		return failure;
	}

	context.tell({type: 'warning', message: `restore points that are kept no longer are left for now: ${failure.text}`});
	return undefined;
}

const expiredAmong = (retentions: readonly Retention[]): Point[] =>
	retentions.flatMap(({points: verdicts}) => verdicts.flatMap(({action, point}) => (action === 'remove' ? [point] : [])));

function heldAmong(retentions: readonly Retention[], tell: Tell): PruneResult['held'] {
	const held = retentions.flatMap(({target, held: reason}) => (reason === null ? [] : [{target, reason}]));
	for (const {target, reason} of held) {
		tell({type: 'warning', message: `no point of \`${target}\` is removed: ${reason}`});
	}

	return held;
}

async function forgetExpired(
	{state, door}: MaintenanceParts,
	restic: Restic,
	{expired, signal}: {expired: readonly Point[]; signal: AbortSignal},
): Promise<PruneResult['removed']> {
	await finishForgetting(restic, state, await restic.snapshots(['holdfast'], signal));
	await forgetPoints(restic, state, expired, {signal}).catch((error: unknown) => {
		door.learn(error);
		throw error;
	});
	if (expired.length > 0) {
		door.unlearn();
	}

	return expired.map(({id, target}) => ({target, point: id}));
}

/** What is done is done: others who do not know do it again. */
export const putOnRecord = async ({election}: MaintenanceParts, tell: Tell, done: Parameters<Election['record']>[0]): Promise<void> =>
	election.record(done).catch((error: unknown) => {
		tell({type: 'warning', message: `other agents are not told that the ${done.operation} is done: ${explain(error)}`});
	});

export const counter =
	(tell: Tell) =>
	({done, total, unit}: Count): void =>
		tell({type: 'progress', source: unit, bytes: done, totalBytes: total, unit});

export interface Failure {
	/** For people. */
	text: string;
	/** Somebody else had the repository. */
	isLocked: boolean;
}

const failureOf = (failures: readonly unknown[]): Failure | undefined =>
	failures.length === 0 ? undefined : {text: failures.map(explain).join('; '), isLocked: failures.some(isLocked)};

export async function inWorker(
	parts: MaintenanceParts,
	{run, signal, tell}: RunContext,
	work: (restic: Restic) => Promise<void>,
): Promise<Failure | undefined> {
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

	return failureOf(failures);
}

/** What a check that was killed left: it keeps what it reads apart, and nothing else is under way now. */
async function removeCheckCaches(place: Place, folder: string): Promise<void> {
	await succeed(place, {
		argv: ['find', folder, '-mindepth', '1', '-maxdepth', '1', '-name', 'restic-check-cache-*', '-exec', 'rm', '-rf', '{}', '+'],
	});
}

export function ended({repository}: MaintenanceParts, {run, startedAt}: RunContext, failure: Failure | undefined) {
	return {
		run,
		target: repositoryTarget(repository.name),
		startedAt: startedAt.toISOString(),
		outcome: failure === undefined ? ('success' as const) : ('failed' as const),
		durationSeconds: (Date.now() - startedAt.getTime()) / 1000,
		...(failure === undefined ? {} : {error: failure.text}),
	};
}
