/** Tells people how runs ended. It listens beside the runs: a receiver that is slow, dead or hostile never delays one. */
import type {EventHub} from '../../base/events.ts';
import type {Log} from '../../base/log.ts';
import type {Notices} from '../../base/notices.ts';
import {isWanted, type NotifyWord} from '../../base/reading/wanted.ts';
import {lacksOnly} from '../../base/results.ts';
import {type Message, messageOf, nameOf, noticeMessage} from './message.ts';
import {createQueue, type Patience, type Receiver} from './queue.ts';

export interface NotifyOptions extends Patience {
	hub: Pick<EventHub, 'listen'>;
	/** Told whatever is wanted of runs. */
	notices: Pick<Notices, 'listen'>;
	receivers: ReadonlyArray<Receiver<Message>>;
	wanted: readonly NotifyWord[];
	/** As snapshots are filed under. */
	host: string;
	/** Takes every secret out of what is sent. */
	redact: (value: unknown) => unknown;
	log: Log;
}

export interface Notifications {
	/** Ends at once; what was not sent is told to the log. */
	close: () => void;
}

const describe = (message: Message) => {
	const {subject, id: run} = nameOf(message);
	return {subject, run, target: message.data.target};
};

export function createNotifications(options: NotifyOptions): Notifications {
	const {hub, notices, receivers, wanted, host, redact} = options;
	const ending = new AbortController();
	const queues = receivers.map(receiver => createQueue(receiver, {...options, describe}, ending.signal));
	const tell = (message: Message) => {
		const clean = redact(message) as Message;
		for (const queue of queues) {
			queue.add(clean);
		}
	};
	const unlisten = hub.listen(event => {
		if (event.type === 'finished' && isWanted(wanted, event.operation, event.result.outcome) && !lacksOnly(event.result)) {
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
