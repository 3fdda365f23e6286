/** What is due by schedule, and what is then done. */
import PQueue from 'p-queue';
import type {Agent} from './agent.ts';
import type {Config} from './config.ts';
import {repositoryTarget} from './events.ts';
import type {Log} from './log.ts';
import {createSchedule, type Due, type Schedule, type ScheduledOperation, type ScheduleEntry} from './schedule.ts';
import type {State} from './state.ts';

export function keepSchedule(agent: Agent, {timeZone, log}: {timeZone: string; log: Log}): Schedule {
	// One at a time, so that a backup need not wait for many.
	const drills = new PQueue({concurrency: 1});
	/** Resolves when the run is over. */
	const operations: Partial<Record<ScheduledOperation, (subject: string) => Promise<unknown>>> = {
		backup: async target => (await agent.backup(target, 'schedule')).finished,
		prune: async () => (await agent.prune('schedule')).finished,
		check: async () => (await agent.check('next', 'schedule')).finished,
		drill: async target => drills.add(async () => (await agent.drill({target, point: 'latest', trigger: 'schedule'})).finished),
	};
	return createSchedule({
		timeZone,
		async onDue({operation, subject}) {
			await operations[operation]?.(subject);
		},
		report: (error, {operation, subject}) =>
			log.error(`the scheduled ${operation} of \`${subject}\` could not begin`, {error, target: subject}),
	});
}

/** When the repository is looked after. */
export function maintenanceDue({
	repository,
	pruneSchedule,
	checkSchedule,
}: Pick<Config, 'repository' | 'pruneSchedule' | 'checkSchedule'>): Array<Omit<ScheduleEntry, 'since'>> {
	const subject = repositoryTarget(repository.name);
	return [
		...(pruneSchedule === undefined ? [] : [{operation: 'prune' as const, subject, line: pruneSchedule}]),
		...(checkSchedule === undefined ? [] : [{operation: 'check' as const, subject, line: checkSchedule}]),
	];
}

/** One that never ran is due from when it was first seen. A drill needs a point: until there is a backup, none is due. */
export const entries = (due: ReadonlyArray<Omit<ScheduleEntry, 'since'>>, state: Pick<State, 'runs' | 'firstSeen'>): ScheduleEntry[] =>
	due
		.map(entry => ({...entry, since: lastDealtWith(entry, state)}))
		.filter(({operation, subject: target}) => operation !== 'drill' || isBackedUp(target, state));

const isBackedUp = (target: string, state: Pick<State, 'runs'>): boolean =>
	state.runs({target, operation: 'backup', outcome: 'success', limit: 1}).length > 0;

function lastDealtWith({operation, subject}: Due, state: Pick<State, 'runs' | 'firstSeen'>): number {
	const [last] = state.runs({target: subject, operation, limit: 1});
	const seen = state.firstSeen(operation === 'backup' ? subject : `${operation} ${subject}`, Date.now());
	return Math.max(seen, last?.queuedAt ?? 0);
}
