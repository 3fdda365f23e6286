/** What is due by schedule, and what is then done. */

import {setTimeout as delay} from 'node:timers/promises';
import PQueue from 'p-queue';
import type {ScheduledOperation} from '../../base/due.ts';
import type {Log} from '../../base/log.ts';
import {repositoryOfTarget} from '../../base/results.ts';
import type {Agent} from '../agent.ts';
import {coldTrigger} from './entries.ts';
import {createSchedule, type Schedule} from './schedule.ts';

/** Timers of the same moment come one after the other. */
const meetingMs = 1000;

export function keepSchedule(agent: Agent, {timeZone, log}: {timeZone: string; log: Log}): Schedule {
	// One at a time, so that a backup need not wait for many.
	const drills = new PQueue({concurrency: 1});
	/** Resolves when the run is over. */
	const operations: Partial<Record<ScheduledOperation, (subject: string, cold: boolean) => Promise<unknown>>> = {
		backup: async (target, cold) => backUp(target, cold),
		prune: async () => (await agent.prune('schedule')).finished,
		check: async () => (await agent.check('next', 'schedule')).finished,
		drill: async target => drills.add(async () => (await agent.drill({target, point: 'latest', trigger: 'schedule'})).finished),
		copy: async subject => (await agent.copy(repositoryOfTarget(subject), 'schedule')).finished,
	};
	const meeting = new Map<string, {cold: boolean}>();

	/** Where a hot and a cold backup are due at once, the cold one is both. */
	const backUp = async (target: string, cold: boolean): Promise<void> => {
		const met = meeting.get(target);
		if (met !== undefined) {
			met.cold ||= cold;
			return;
		}

		const mine = {cold};
		if (schedule.all().some(entry => entry.subject === target && entry.cold)) {
			meeting.set(target, mine);
			await delay(meetingMs);
			meeting.delete(target);
		}

		if (mine.cold) {
			await untilFree(agent, target);
		}

		await (await agent.backup(target, mine.cold ? coldTrigger : 'schedule', mine.cold)).finished;
	};

	const schedule = createSchedule({
		timeZone,
		async onDue({operation, subject, cold = false}) {
			await operations[operation]?.(subject, cold);
		},
		report: (error, {operation, subject}) =>
			log.error(`the scheduled ${operation} of \`${subject}\` could not begin`, {error, target: subject}),
	});
	return schedule;
}

/** It is rare: it does not fall out because a hot one takes long. */
async function untilFree(agent: Pick<Agent, 'runs' | 'follow'>, target: string): Promise<void> {
	const underWay = () => agent.runs({target, limit: 10}).find(({state}) => state !== 'finished')?.run;
	for (let run = underWay(); run !== undefined; run = underWay()) {
		await Array.fromAsync(agent.follow(run, new AbortController().signal));
	}
}
