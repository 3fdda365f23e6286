/** What an agent does first: put right what an earlier life of it left when it was killed. */
import {setTimeout as delay} from 'node:timers/promises';
import {explain} from '../../base/errors.ts';
import type {BackupResult, CopyResult, EventHub, RunResult} from '../../base/events.ts';
import type {Log} from '../../base/log.ts';
import type {Engine} from '../../docker/engine.ts';
import type {JournalEntry} from '../../docker/resume.ts';
import {undoUnfinished} from '../../docker/unfinished.ts';
import {removeLeftovers} from '../../docker/worker.ts';
import type {Sweeper} from '../keep/sweep.ts';
import type {Point} from '../repository/points.ts';
import type {RunRecord, State} from '../state/state.ts';

interface Recovery {
	engine: Engine;
	state: State;
	hub: EventHub;
	log: Log;
}

/**
 * Containers first: every second counts for them, and it needs nothing but the engine.
 * @returns whether all that is wanted is put back
 */
export async function putBack(
	{engine, state, log}: Recovery,
	{isWanted, signal}: {isWanted: (entry: JournalEntry) => boolean; signal: AbortSignal},
): Promise<boolean> {
	const {undone, failures, open} = await undoUnfinished({engine, journal: state, isWanted, signal});
	for (const name of undone) {
		log.warning(`container \`${name}\` was put back: the agent had ended while it was quiesced`);
	}

	for (const failure of failures) {
		log.error(explain(failure));
	}

	return open === 0;
}

/**
 * Whether a run of this life is over and could not put this back: it leaves its entry, and nobody else would try again before the next start.
 * A hook that failed is not run again.
 */
export const isLeftBehind = ({run, undo}: JournalEntry, isUnderWay: (run: string) => boolean): boolean =>
	undo.kind !== 'hook' && !isUnderWay(run);

export async function removeWorkers({engine, state, log}: Recovery): Promise<void> {
	for (const name of await removeLeftovers(engine, state.agentId)) {
		log.info(`worker \`${name}\` of an interrupted run was removed`);
	}
}

const releaseAttempts = 5;
const releaseRetryMs = 2000;

/** What the dead left would shut out everybody for half an hour, and a dead one's process id may be another's just now: so, a few times. @throws the signal's reason */
export async function releaseLocks(sweeper: Pick<Sweeper, 'releaseLocks'>, log: Log, signal: AbortSignal): Promise<void> {
	for (let attempt = 1; attempt <= releaseAttempts; attempt++) {
		try {
			const {removed, left, warning} = await sweeper.releaseLocks();
			for (const {hostname, pid} of removed) {
				log.warning(`the lock of process ${pid} on \`${hostname}\`, which is gone, was removed from the repository`);
			}

			if (warning !== undefined) {
				log.warning(warning);
			}

			if (warning !== undefined || !left.some(({isDead}) => isDead)) {
				return;
			}
		} catch (error) {
			log.warning(`locks of interrupted runs could not be removed from the repository: ${explain(error)}`);
		}

		await delay(releaseRetryMs, undefined, {signal});
	}
}

/** A run whose manifest is in the repository was published, even if the agent died before it could say so. */
export function closeInterrupted(recovery: Recovery, points: readonly Point[], isUnderWay: (record: RunRecord) => boolean): void {
	for (const record of recovery.state.interruptedRuns()) {
		const point = points.find(({id}) => id === record.run);
		const result = isUnderWay(record) ? undefined : interruptedResult(record, point);
		if (result !== undefined) {
			close(recovery, record, result);
		}
	}
}

/** What they brought into the copy is there, and the next one goes on. Call it before any run is started. */
export function closeInterruptedCopies(recovery: Recovery): void {
	for (const record of recovery.state.interruptedRuns().filter(({operation}) => operation === 'copy')) {
		const {run, target, queuedAt, startedAt} = record;
		const begun = startedAt ?? queuedAt;
		const result: CopyResult = {
			run,
			target,
			outcome: 'failed',
			copied: 0,
			removed: 0,
			pruned: false,
			points: null,
			startedAt: new Date(begun).toISOString(),
			durationSeconds: (Date.now() - begun) / 1000,
			error: 'the agent ended while the run was under way; the next one goes on where it was',
		};
		close(recovery, record, result);
	}
}

function close({state, hub, log}: Recovery, {run, target, operation}: RunRecord, result: RunResult): void {
	state.finishRun(run, Date.now(), result);
	const event = {type: 'finished' as const, run, target, at: Date.now(), operation, result};
	state.appendEvent(event);
	hub.send(event);
	log.warning(`run ${run} of \`${target}\` was interrupted by the end of the agent: ${result.outcome}`);
}

/** Undefined for operations whose own recovery ends them. */
function interruptedResult(record: RunRecord, point: Point | undefined): RunResult | undefined {
	const {run, target, operation, queuedAt, startedAt} = record;
	const begun = startedAt ?? queuedAt;
	const times = {startedAt: new Date(begun).toISOString(), durationSeconds: (Date.now() - begun) / 1000};
	const failed = {run, target, ...times, outcome: 'failed' as const, error: 'the agent ended while the run was under way'};
	switch (operation) {
		case 'backup':
		case 'import':
			return interruptedBackup(record, point, times);
		case 'drill':
			return {...failed, point: '', sources: []};
		case 'prune':
			return {...failed, removed: [], held: [], bytes: null};
		case 'check':
			return {...failed, readData: null};
		default:
			return undefined;
	}
}

function interruptedBackup(
	{run, target}: RunRecord,
	point: Point | undefined,
	times: Pick<BackupResult, 'startedAt' | 'durationSeconds'>,
): BackupResult {
	return {
		run,
		target,
		outcome: point === undefined ? 'failed' : 'success',
		point: point === undefined ? null : run,
		...times,
		quiesceSeconds: 0,
		sources: (point?.sources ?? []).map(source => ({...source, outcome: 'success' as const, addedBytes: 0})),
		...(point === undefined ? {error: 'the agent ended while the run was under way'} : {}),
	};
}
