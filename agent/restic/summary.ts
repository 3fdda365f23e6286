/** Reads what restic tells while it works, and at its end. */
import {type Call, type Caller, eachMessage} from './call.ts';
import type {FileStatus, Status, Summary} from './messages.ts';

/** What restic says at its end of what it did; undefined where it did not say it. */
export async function summaryOf(
	read: Caller['read'],
	call: Call,
	{onStatus = () => {}, onFile = () => {}}: {onStatus?: (status: Status) => void; onFile?: ((status: FileStatus) => void) | undefined},
): Promise<Summary | undefined> {
	let summary: Summary | undefined;
	await read(call, stdout =>
		eachMessage(stdout, message => {
			if (message.message_type === 'summary') {
				summary = message;
			} else if (message.message_type === 'status') {
				onStatus(message);
			} else if (message.message_type === 'verbose_status') {
				onFile(message);
			}
		}),
	);
	return summary;
}
