/** What is due by schedule, and what is then done. */

import {setTimeout as delay} from 'node:timers/promises';
import PQueue from 'p-queue';
import type {Due, ScheduledOperation} from '../../base/due.ts';
import {BusyError, explanation, NotFoundError, RestingError} from '../../base/errors.ts';
import type {Log} from '../../base/log.ts';
import type {Notices} from '../../base/notices.ts';
import {neverCancelled} from '../../base/patience.ts';
import {repositoryOfTarget} from '../../base/results.ts';
import type {Agent} from '../agent.ts';
import {coldTrigger} from './entries.ts';
import {createSchedule, type Schedule} from './schedule.ts';

/** Timers of the same moment come one after the other. */
const meetingMs = 1000;

interface Keeping {
	timeZone: string;
	log: Log;
	notices: Pick<Notices, 'send'>;
}

export function keepSchedule(agent: Agent, {timeZone, log, notices}: Keeping): Schedule {
	// One at a time, so that a backup need not wait for many.
	const drills = new PQueue({concurrency: 1});
	/** Resolves when the run is over. */
	const operations: Partial<Record<ScheduledOperation, (subject: string) => Promise<unknown>>> = {
		prune: async () => (await agent.prune('schedule')).finished,
		check: async () => (await agent.check('next', 'schedule')).finished,
		drill: async target => drills.add(async () => (await agent.drill({target, point: 'latest', trigger: 'schedule'})).finished),
		copy: async subject => (await agent.copy(repositoryOfTarget(subject), 'schedule')).finished,
	};
	/** Backups that are due and have not begun. */
	const meeting = new Map<string, {cold: boolean}>();

	/** Where a hot and a cold backup are due at once, or before the first could begin, the cold one is both. */
	const backUp = async (target: string, {cold}: {cold: boolean}): Promise<void> => {
		const met = meeting.get(target);
		if (met !== undefined) {
			met.cold ||= cold;
			return;
		}

		const mine = {cold};
		meeting.set(target, mine);
		const begun = (async () => {
			if (schedule.all().some(entry => entry.subject === target && entry.cold)) {
				await delay(meetingMs);
			}

			return afterOthers({operation: 'backup', subject: target}, async () =>
				agent.backup(target, mine.cold ? coldTrigger : 'schedule', {cold: mine.cold}),
			);
		})().finally(() => meeting.delete(target));
		await (await begun).finished;
	};

	/** What meets a run that is in its way is done after it, not dropped. */
	const afterOthers = async <Value>(
		{operation, subject}: Pick<Due, 'operation' | 'subject'>,
		begin: () => Promise<Value>,
	): Promise<Value> => {
		for (;;) {
			try {
				return await begin();
			} catch (error) {
				if (!(error instanceof BusyError) || error.run === undefined) {
					throw error;
				}

				log.info(`the scheduled ${operation} of \`${subject}\` waits for run ${error.run}`);
				await untilOver(agent, error.run);
			}
		}
	};

	/** Others than backups, which know what is due twice: what waits still when it is due again is done once. */
	const waiting = new Set<string>();
	const onDue = async ({operation, subject, cold}: Due): Promise<void> => {
		const key = `${operation} ${subject}`;
		if (operation === 'backup') {
			await backUp(subject, {cold: cold === true});
		} else if (!waiting.has(key)) {
			waiting.add(key);
			try {
				await afterOthers({operation, subject}, async () => operations[operation]?.(subject));
			} finally {
				waiting.delete(key);
			}
		}
	};

	const schedule = createSchedule({
		timeZone,
		onDue,
		report(error, {operation, subject}) {
			if (error instanceof RestingError) {
				log.info(`no scheduled ${operation} of \`${subject}\`: ${error.message}`);
				return;
			}

			log.error(`the scheduled ${operation} of \`${subject}\` could not be done`, {error, target: subject});
			// A run that fails is told; here there is none. Who is gone is missed, and the end of the agent is nobody's failure.
			if (!(error instanceof NotFoundError || error instanceof BusyError)) {
				const {message, hint} = explanation(error);
				const text = `the scheduled ${operation} of \`${subject}\` could not be done: ${message}`;
				notices.send({kind: 'missed', target: subject, text, hint, at: Date.now()});
			}
		},
	});
	return schedule;
}

async function untilOver(agent: Pick<Agent, 'follow'>, run: string): Promise<void> {
	for await (const {type} of agent.follow(run, neverCancelled())) {
		if (type === 'finished') {
			return;
		}
	}
}
