/** What is due when: of every target, and of the repository. */
import type {Due, ScheduleEntry} from '../../base/due.ts';
import {repositoryTarget} from '../../base/results.ts';
import type {Config} from '../config/config.ts';
import type {Access} from '../restic/repository.ts';
import type {State} from '../state/state.ts';

/** Who asked for a cold backup that was due. */
export const coldTrigger = 'schedule:cold';

/** When the repository is looked after. Where nothing may be removed, that is somebody else's. */
export function maintenanceDue(
	{repository, pruneSchedule, checkSchedule}: Pick<Config, 'repository' | 'pruneSchedule' | 'checkSchedule'>,
	access: Access,
): Array<Omit<ScheduleEntry, 'since'>> {
	const subject = repositoryTarget(repository.name);
	return [
		...(pruneSchedule === undefined || access !== 'full' ? [] : [{operation: 'prune' as const, subject, line: pruneSchedule}]),
		...(checkSchedule === undefined ? [] : [{operation: 'check' as const, subject, line: checkSchedule}]),
	];
}

/** One that never ran is due from when it was first seen. A drill needs a point: until there is a backup, none is due. */
export const entries = (due: ReadonlyArray<Omit<ScheduleEntry, 'since'>>, state: Pick<State, 'runs' | 'firstSeen'>): ScheduleEntry[] =>
	due
		.map(entry => ({...entry, since: lastDealtWith(entry, state)}))
		.filter(({operation, subject: target}) => operation !== 'drill' || isBackedUp(target, state));

/** What is always partial, because something of it rests, has points, too. */
const isBackedUp = (target: string, state: Pick<State, 'runs'>): boolean =>
	(['success', 'partial'] as const).some(outcome => state.runs({target, operation: 'backup', outcome, limit: 1}).length > 0);

function lastDealtWith(due: Due, state: Pick<State, 'runs' | 'firstSeen'>): number {
	const {operation, subject, cold} = due;
	const [last] = state.runs({target: subject, operation, limit: 1, ...(cold && {trigger: coldTrigger})});
	return Math.max(firstDue(due, state), last?.queuedAt ?? 0);
}

/** Since when there is such an entry, in milliseconds since 1970. */
export function firstDue({operation, subject, cold}: Due, state: Pick<State, 'firstSeen'>): number {
	const key = cold ? `cold ${subject}` : operation === 'backup' ? subject : `${operation} ${subject}`;
	return state.firstSeen(key, Date.now());
}
