/** Runs that an earlier life of the agent left unfinished are ended: each with the result that it has. */
import type {FinishedEvent} from '../../base/events.ts';
import {failed} from '../../base/failed.ts';
import {type BackupResult, finishedAs, type RunResult} from '../../base/results.ts';
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
		const why = 'the agent ended while the run was under way; the next one goes on where it was';
		close(recovery, record, failed.copy({run, target, startedAt: new Date(startedAt ?? queuedAt)}, why));
	}
}

function close({state, hub, log}: Recovery, {run, target, operation}: RunRecord, result: RunResult): void {
	state.finishRun(run, Date.now(), result);
	const event: FinishedEvent = {type: 'finished', run, target, at: Date.now(), ...finishedAs(operation, result)};
	state.appendEvent(event);
	hub.send(event);
	log.warning(`${operation} ${run} of \`${target}\` was interrupted by the end of the agent: ${result.outcome}`);
}

/** Undefined for operations whose own recovery ends them. */
function interruptedResult(record: RunRecord, point: Point | undefined): RunResult | undefined {
	const {run, target, operation, queuedAt, startedAt} = record;
	const begun = {run, target, startedAt: new Date(startedAt ?? queuedAt)};
	const why = 'the agent ended while the run was under way';
	switch (operation) {
		case 'backup':
		case 'import':
			return point === undefined ? failed.backup(begun, why) : published(failed.backup(begun, ''), point);
		case 'drill':
			return failed.drill(begun, '', why);
		case 'prune':
			return failed.prune(begun, why);
		case 'check':
			return failed.check(begun, why);
		default:
			return undefined;
	}
}

const published = ({error: _, ...result}: BackupResult, {id, sources}: Point): BackupResult => ({
	...result,
	outcome: 'success',
	point: id,
	sources: sources.map(source => ({...source, outcome: 'success', addedBytes: 0})),
});

/** Restores that were under way are over, whatever becomes of what they replaced. Call it before any run is started. */
export function closeInterruptedRestores(recovery: Recovery): void {
	const {state} = recovery;
	const records = new Map(state.restores().map(record => [record.run, record]));
	for (const interrupted of state.interruptedRuns().filter(({operation}) => operation === 'restore')) {
		const result = resultOf(interrupted, records.get(interrupted.run));
		close(recovery, interrupted, result);
	}
}
