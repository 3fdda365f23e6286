/** Runs that an earlier life of the agent left unfinished are ended: each with the result that it has. */
import {RepositoryError} from '../../base/errors.ts';
import {failed} from '../../base/failed.ts';
import type {BackupResult, RunResult} from '../../base/results.ts';
import type {Manifest} from '../repository/manifest.ts';
import type {Point} from '../repository/points.ts';
import {resultOf} from '../restore/recover.ts';
import {closeRun} from '../runs/close.ts';
import {isUnjudged} from '../state/restores.ts';
import type {RunRecord} from '../state/state.ts';
import type {Recovery} from './recovery.ts';

interface Published {
	/** All of the repository. */
	points: readonly Point[];
	manifestOf: (point: Point) => Promise<Pick<Manifest, 'absent'>>;
	isUnderWay: (record: RunRecord) => boolean;
}

/** A run whose manifest is in the repository was published, even if the agent died before it could say so. @throws {RepositoryError} */
export async function closeInterrupted(recovery: Recovery, {points, manifestOf, isUnderWay}: Published): Promise<void> {
	for (const record of recovery.state.interruptedRuns().filter(each => !isUnderWay(each))) {
		const point = points.find(({id}) => id === record.run);
		const manifest = point && (await manifestOf(point).catch(unlessAway));
		const result = interruptedResult(record, manifest === undefined ? undefined : point, manifest?.absent);
		if (result !== undefined) {
			closeRun(recovery, record, result);
		}
	}
}

/** One whose manifest can be read no more is no point. */
function unlessAway(error: unknown): undefined {
	if (error instanceof RepositoryError) {
		throw error;
	}
}

/** What they brought into the copy is there, and the next one goes on. Call it before any run is started. */
export function closeInterruptedCopies(recovery: Recovery): void {
	for (const record of recovery.state.interruptedRuns().filter(({operation}) => operation === 'copy')) {
		const {run, target, queuedAt, startedAt} = record;
		const why = 'the agent ended while the run was under way; the next one goes on where it was';
		closeRun(recovery, record, failed.copy({run, target, startedAt: new Date(startedAt ?? queuedAt)}, why));
	}
}

/** Undefined for operations whose own recovery ends them. */
function interruptedResult(record: RunRecord, point: Point | undefined, absent: Absent = []): RunResult | undefined {
	const {run, target, operation, queuedAt, startedAt} = record;
	const begun = {run, target, startedAt: new Date(startedAt ?? queuedAt)};
	const why = 'the agent ended while the run was under way';
	switch (operation) {
		case 'backup':
		case 'import':
			return point === undefined ? failed.backup(begun, why) : published(failed.backup(begun, ''), point, absent);
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

type Absent = NonNullable<Manifest['absent']>;

const published = ({error: _, ...result}: BackupResult, {id, sources}: Point, absent: Absent): BackupResult => ({
	...result,
	outcome: absent.length === 0 ? 'success' : 'partial',
	...(absent.length === 0 ? {} : {absent}),
	point: id,
	sources: sources.map(source => ({...source, outcome: 'success', addedBytes: 0})),
});

/** Restores that were under way are over, whatever becomes of what they replaced; but for those that are still to be judged. Call it before any run is started. */
export function closeInterruptedRestores(recovery: Recovery): void {
	const {state} = recovery;
	const records = new Map(state.restores().map(record => [record.run, record]));
	for (const interrupted of state.interruptedRuns().filter(({operation}) => operation === 'restore')) {
		const record = records.get(interrupted.run);
		if (record === undefined || !isUnjudged(record)) {
			closeRun(recovery, interrupted, resultOf(interrupted, record));
		}
	}
}
