/** A connection to Slack that is made again whenever it is lost, until the bot ends. */
import {setTimeout as delay} from 'node:timers/promises';
import {explain} from '../base/errors.ts';
import type {Log} from '../base/log.ts';
import {SlackError} from './refusal.ts';

export interface Connected {
	/** Resolves when it is to be made again: true where it is lost, false where nobody knows. */
	ended: Promise<boolean>;
}

interface Connecting {
	/** One try. */
	connect: () => Promise<Connected>;
	log: Log;
	onConnected: () => void;
	/** Between two tries, where Slack does not say. */
	retryMs: number;
	signal: AbortSignal;
}

export interface Connection {
	isConnected: () => boolean;
	/** Resolves when the signal is given. */
	stay: () => Promise<void>;
}

export function createConnection({connect, log, onConnected, retryMs, signal}: Connecting): Connection {
	let isConnected = false;
	let said = '';

	const found = (): void => {
		if (!isConnected) {
			log.info('connected to Slack');
			isConnected = true;
			onConnected();
		}
	};

	const lose = (): void => {
		if (isConnected && !signal.aborted) {
			log.warning('the connection to Slack is lost, connecting again');
		}

		isConnected = false;
	};

	/** Each reason once. */
	const tell = (error: unknown): void => {
		const reason = explain(error);
		if (reason !== said && !signal.aborted) {
			log.warning(`Slack cannot be reached, trying again: ${reason}`);
			said = reason;
		}
	};

	return {
		isConnected: () => isConnected && !signal.aborted,
		async stay() {
			while (!signal.aborted) {
				let waitMs = 0;
				try {
					const {ended} = await connect();
					found();
					if (await ended) {
						lose();
					}

					said = '';
				} catch (error) {
					lose();
					waitMs = error instanceof SlackError ? (error.retryMs ?? retryMs) : retryMs;
					tell(error);
				}

				await delay(waitMs, undefined, {signal}).catch(() => {});
			}
		},
	};
}
