/**
 * Messages that change in place. What is wanted is written down and returned from at once; one loop for each channel brings Slack up to it,
 * at most once a second, as Slack asks, and goes on when Slack is back. Of several changes of a message only the last is sent.
 */
import {setTimeout as delay} from 'node:timers/promises';
import type {Log} from '../base/log.ts';
import type {Message} from './blocks.ts';
import {SlackError} from './refusal.ts';
import type {Slack} from './slack.ts';

export interface Posted {
	channel: string;
	ts: string;
}

export interface Board {
	/** Shows it: as a new message, or in place of what the key shows already. Waits for nothing. */
	show: (key: string, channel: string, message: Message, onPosted?: (posted: Posted) => void) => void;
	/** Adds to the thread of a message that was shown. */
	thread: (key: string, message: Message) => void;
	/** A message that an earlier life posted; nothing where it is known. */
	adopt: (key: string, posted: Posted) => void;
	/** Nothing more comes: when it is sent, it is forgotten. */
	settle: (key: string) => void;
	close: () => void;
}

export interface BoardOptions {
	slack: Pick<Slack, 'call'>;
	log: Log;
	intervalMs?: number;
	retryMs?: number;
}

interface Entry {
	channel: string;
	ts: string | undefined;
	wanted: Message | undefined;
	replies: Message[];
	onPosted: ((posted: Posted) => void) | undefined;
	isSettled: boolean;
}

/** What another try would not change. */
const hopeless = new Set([
	'channel_not_found',
	'not_in_channel',
	'is_archived',
	'message_not_found',
	'cant_update_message',
	'edit_window_closed',
	'invalid_blocks',
	'invalid_blocks_format',
	'msg_too_long',
	'restricted_action',
	'missing_scope',
]);

const how = {parse: 'none', link_names: false, unfurl_links: false, unfurl_media: false};

export function createBoard({slack, log, intervalMs = 1000, retryMs = 1500}: BoardOptions): Board {
	const entries = new Map<string, Entry>();
	const working = new Set<string>();
	const closing = new AbortController();

	const send = async (entry: Entry): Promise<void> => {
		const {wanted, ts, channel} = entry;
		if (wanted !== undefined) {
			entry.wanted = undefined;
			try {
				const answer = await slack.call(ts === undefined ? 'chat.postMessage' : 'chat.update', {
					channel,
					...wanted,
					...how,
					...(ts === undefined ? {} : {ts}),
				});
				if (ts === undefined) {
					entry.ts = String(answer.ts);
					// Where a person was named, Slack answers with the channel that it opened
					entry.channel = String(answer.channel ?? channel);
					entry.onPosted?.({channel: entry.channel, ts: entry.ts});
				}
			} catch (error) {
				entry.wanted ??= wanted;
				throw error;
			}
		} else {
			const [reply] = entry.replies;
			if (reply !== undefined) {
				await slack.call('chat.postMessage', {channel, thread_ts: ts, ...reply, ...how});
				entry.replies.shift();
			}
		}
	};

	const giveUp = (key: string, entry: Entry, error: SlackError): void => {
		log.warning(`a message to Slack was given up: ${error.message}`, {channel: entry.channel, message: key});
		entry.wanted = undefined;
		entry.replies = [];
	};

	const work = async (channel: string): Promise<void> => {
		for (;;) {
			const [key, entry] = [...entries].find(([, candidate]) => candidate.channel === channel && isDue(candidate)) ?? [];
			if (key === undefined || entry === undefined || closing.signal.aborted) {
				return;
			}

			let waitMs = intervalMs;
			try {
				await send(entry);
				// To the end of the line: one message that changes all the time does not keep the others
				entries.delete(key);
				if (!entry.isSettled || isDue(entry)) {
					entries.set(key, entry);
					if (entry.channel !== channel && isDue(entry)) {
						wake(entry.channel);
					}
				}
			} catch (error) {
				if (error instanceof SlackError && hopeless.has(error.code)) {
					giveUp(key, entry, error);
				} else {
					waitMs = Math.max(intervalMs, (error instanceof SlackError ? error.retryMs : undefined) ?? retryMs);
					log.debug('Slack did not take a message, trying again', {error});
				}
			}

			await delay(waitMs, undefined, {signal: closing.signal}).catch(() => {});
		}
	};

	const wake = (channel: string): void => {
		if (working.has(channel)) {
			return;
		}

		working.add(channel);
		work(channel)
			.catch((error: unknown) => log.error('messages to Slack stopped', {error, channel}))
			.finally(() => working.delete(channel));
	};

	const change = (key: string, apply: (entry: Entry) => void): void => {
		const entry = entries.get(key);
		if (entry !== undefined) {
			apply(entry);
			wake(entry.channel);
		}
	};

	return {
		show(key, channel, wanted, onPosted) {
			const entry = entries.get(key);
			if (entry === undefined) {
				entries.set(key, {channel, ts: undefined, wanted, replies: [], onPosted, isSettled: false});
				wake(channel);
			} else {
				change(key, known => {
					known.wanted = wanted;
				});
			}
		},
		thread: (key, reply) => change(key, entry => entry.replies.push(reply)),
		adopt(key, {channel, ts}) {
			if (entries.has(key)) {
				return;
			}

			entries.set(key, {channel, ts, wanted: undefined, replies: [], onPosted: undefined, isSettled: false});
		},
		settle(key) {
			const entry = entries.get(key);
			if (entry !== undefined) {
				entry.isSettled = true;
				if (!isDue(entry)) {
					entries.delete(key);
				}
			}
		},
		close: () => closing.abort(),
	};
}

const isDue = ({wanted, replies}: Entry): boolean => wanted !== undefined || replies.length > 0;
