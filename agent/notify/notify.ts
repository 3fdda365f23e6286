/** Tells people how runs ended. It listens beside the runs: a receiver that is slow, dead or hostile never delays one. */
import {setTimeout as delay} from 'node:timers/promises';
import {explain} from '../../base/errors.ts';
import type {EventHub} from '../../base/events.ts';
import type {Log} from '../../base/log.ts';
import type {Notices} from '../../base/notices.ts';
import {isWanted, type NotifyWord} from '../../base/reading/wanted.ts';
import {lackOf, type RunResult} from '../../base/results.ts';
import {type Message, messageOf, nameOf, noticeMessage} from './message.ts';

export interface Receiver {
	/** For the log; never its address, which may be a secret. */
	name: string;
	/** @throws when it did not take the message */
	send: (message: Message, signal: AbortSignal) => Promise<void>;
}

export interface NotifyOptions {
	hub: Pick<EventHub, 'listen'>;
	/** Told whatever is wanted of runs. */
	notices: Pick<Notices, 'listen'>;
	receivers: readonly Receiver[];
	wanted: readonly NotifyWord[];
	/** As snapshots are filed under. */
	host: string;
	/** Takes every secret out of what is sent. */
	redact: (value: unknown) => unknown;
	log: Log;
	/** Before the second try, the third, …; after the last the message is given up. */
	pausesMs?: readonly number[];
	/** How long one try may take. */
	patienceMs?: number;
}

export interface Notifications {
	/** Ends at once; what was not sent is told to the log. */
	close: () => void;
}

/** Messages that wait for one receiver; beyond it, the oldest gives way. */
const mostWaiting = 100;

const usualPausesMs = [1000, 5000, 30_000, 120_000, 600_000];

export function createNotifications(options: NotifyOptions): Notifications {
	const {hub, notices, receivers, wanted, host, redact} = options;
	const ending = new AbortController();
	const queues = receivers.map(receiver => createQueue(receiver, options, ending.signal));
	const tell = (message: Message) => {
		const clean = redact(message) as Message;
		for (const queue of queues) {
			queue.add(clean);
		}
	};
	const unlisten = hub.listen(event => {
		if (event.type === 'finished' && isWanted(wanted, event.operation, event.result.outcome) && !isToldOnce(event.result)) {
			tell(messageOf(event, host));
		}
	});
	notices.listen(notice => {
		if (!ending.signal.aborted && wanted.length > 0) {
			tell(noticeMessage(notice, host));
		}
	});
	return {
		close() {
			unlisten();
			ending.abort();
			for (const queue of queues) {
				queue.close();
			}
		},
	};
}

/** That something rests was told when it began to: a point without it is no news. */
const isToldOnce = (result: RunResult): boolean => 'absent' in result && lackOf(result) !== undefined && result.error === undefined;

function createQueue(receiver: Receiver, {log, pausesMs = usualPausesMs, patienceMs = 15_000}: NotifyOptions, ending: AbortSignal) {
	const waiting: Message[] = [];
	let isSending = false;

	const deliver = async (message: Message): Promise<void> => {
		const {target} = message.data;
		const {subject, id: run} = nameOf(message);
		for (const pauseMs of [...pausesMs, undefined]) {
			try {
				return await withinTime(receiver, message, {ending, patienceMs});
			} catch (error) {
				if (ending.aborted || pauseMs === undefined) {
					log.error(`${receiver.name} did not take ${subject}`, {run, target, error});
					return;
				}

				log.warning(`${receiver.name} did not take ${subject}; trying again in ${pauseMs / 1000} s`, {
					run,
					target,
					error,
				});
			}

			await delay(pauseMs, undefined, {signal: ending}).catch(() => {});
		}
	};

	const work = async (): Promise<void> => {
		isSending = true;
		for (let message = waiting.shift(); message !== undefined && !ending.aborted; message = waiting.shift()) {
			await deliver(message);
		}

		isSending = false;
	};

	return {
		add(message: Message): void {
			if (waiting.push(message) > mostWaiting) {
				const lost = waiting.shift();
				log.error(`${receiver.name} takes messages too slowly: ${lost === undefined ? '' : nameOf(lost).subject} was not sent`);
			}

			if (!isSending) {
				work().catch((error: unknown) => log.error(`${receiver.name}: ${explain(error)}`));
			}
		},
		close(): void {
			if (waiting.length > 0) {
				log.warning(`${waiting.length} messages were not sent to ${receiver.name}: the agent ends`);
			}

			waiting.length = 0;
		},
	};
}

/** A receiver that heeds no signal is left to itself. */
async function withinTime(
	{send}: Receiver,
	message: Message,
	{ending, patienceMs}: {ending: AbortSignal; patienceMs: number},
): Promise<void> {
	const late = new AbortController();
	const {promise: over, reject} = Promise.withResolvers<never>();
	const timer = setTimeout(() => late.abort(new Error(`it did not answer within ${patienceMs / 1000} s`)), patienceMs);
	const signal = AbortSignal.any([late.signal, ending]);
	const giveUp = () => reject(signal.reason);
	signal.addEventListener('abort', giveUp, {once: true});
	try {
		const sending = send(message, signal);
		sending.catch(() => {});
		await Promise.race([sending, over]);
	} finally {
		clearTimeout(timer);
		signal.removeEventListener('abort', giveUp);
	}
}
