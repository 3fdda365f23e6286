/** What waits to be sent to one receiver, one after the other: a receiver that is slow, dead or hostile delays nobody. */
import {setTimeout as delay} from 'node:timers/promises';
import {explain} from '../../base/errors.ts';
import type {Log} from '../../base/log.ts';

export interface Receiver<Item> {
	/** For the log; never its address, which may be a secret. */
	name: string;
	/** @throws when it did not take it */
	send: (item: Item, signal: AbortSignal) => Promise<void>;
}

export interface Patience {
	/** Before the second try, the third, …; after the last it is given up. */
	pausesMs?: readonly number[];
	/** How long one try may take. */
	patienceMs?: number;
}

interface QueueOptions<Item> extends Patience {
	log: Log;
	/** For the log. */
	describe: (item: Item) => {subject: string; run: string; target: string};
}

export interface Queue<Item> {
	add: (item: Item) => void;
	/** What was not sent is told to the log. */
	close: () => void;
}

/** What waits for one receiver; beyond it, the oldest gives way. */
const mostWaiting = 100;

const usualPausesMs = [1000, 5000, 30_000, 120_000, 600_000];

export function createQueue<Item>(
	receiver: Receiver<Item>,
	{log, pausesMs = usualPausesMs, patienceMs = 15_000, describe}: QueueOptions<Item>,
	ending: AbortSignal,
): Queue<Item> {
	const waiting: Item[] = [];
	let isSending = false;

	const deliver = async (item: Item): Promise<void> => {
		const {subject, run, target} = describe(item);
		for (const pauseMs of [...pausesMs, undefined]) {
			try {
				return await withinTime(receiver, item, {ending, patienceMs});
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
		for (let item = waiting.shift(); item !== undefined && !ending.aborted; item = waiting.shift()) {
			await deliver(item);
		}

		isSending = false;
	};

	return {
		add(item: Item): void {
			if (waiting.push(item) > mostWaiting) {
				const lost = waiting.shift();
				log.error(`${receiver.name} takes messages too slowly: ${lost === undefined ? '' : describe(lost).subject} was not sent`);
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
async function withinTime<Item>(
	{send}: Receiver<Item>,
	item: Item,
	{ending, patienceMs}: {ending: AbortSignal; patienceMs: number},
): Promise<void> {
	const late = new AbortController();
	const {promise: over, reject} = Promise.withResolvers<never>();
	const timer = setTimeout(() => late.abort(new Error(`it did not answer within ${patienceMs / 1000} s`)), patienceMs);
	const signal = AbortSignal.any([late.signal, ending]);
	const giveUp = () => reject(signal.reason);
	signal.addEventListener('abort', giveUp, {once: true});
	try {
		const sending = send(item, signal);
		sending.catch(() => {});
		await Promise.race([sending, over]);
	} finally {
		clearTimeout(timer);
		signal.removeEventListener('abort', giveUp);
	}
}
