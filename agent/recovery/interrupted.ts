/** Runs that an earlier life of the agent left unfinished are ended: each with the result that it has. */
import type {BackupResult, CopyResult, RunResult} from '../../base/results.ts';
import type {Point} from '../repository/points.ts';
import {resultOf} from '../restore/recover.ts';
import type {RunRecord} from '../state/state.ts';
import type {Recovery} from './recovery.ts';

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

/** Restores that were under way are over, whatever becomes of what they replaced. Call it before any run is started. */
export function closeInterruptedRestores({state, hub, log}: Recovery): void {
	const records = new Map(state.restores().map(record => [record.run, record]));
	for (const interrupted of state.interruptedRuns().filter(({operation}) => operation === 'restore')) {
		const result = resultOf(interrupted, records.get(interrupted.run));
		const {run, target, operation} = interrupted;
		state.finishRun(run, Date.now(), result);
		const event = {type: 'finished' as const, run, target, at: Date.now(), operation, result};
		state.appendEvent(event);
		hub.send(event);
		log.warning(`restore ${run} of \`${target}\` was interrupted by the end of the agent: ${result.outcome}`);
	}
}
