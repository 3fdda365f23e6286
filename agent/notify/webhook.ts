/** A webhook, signed as https://www.standardwebhooks.com describes it. */
import {createHmac} from 'node:crypto';
import {nameOf} from './message.ts';
import type {Receiver} from './notify.ts';

export interface Webhook {
	url: string;
	/** `whsec_` and the key in base64. */
	secret: string;
}

const secretPrefix = 'whsec_';

export function webhook({url, secret}: Webhook): Receiver {
	const key = Buffer.from(secret.slice(secretPrefix.length), 'base64');
	return {
		name: 'the webhook',
		async send(message, signal) {
			const body = JSON.stringify(message);
			// The same at every try, so that a receiver that took it already can tell.
			const id = `msg_${nameOf(message).id.replaceAll(/[^\w.-]/g, '_')}`;
			const timestamp = Math.floor(Date.now() / 1000);
			const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
			const answer = await fetch(url, {
				method: 'POST',
				redirect: 'manual',
				signal,
				body,
				headers: {
					'Content-Type': 'application/json',
					'webhook-id': id,
					'webhook-timestamp': String(timestamp),
					'webhook-signature': `v1,${signature}`,
				},
			}).catch((error: unknown) => {
				// What fetch says may hold the address; its cause says what happened.
				signal.throwIfAborted();
				throw new Error(`it cannot be reached: ${reasonOf(error)}`);
			});
			await answer.body?.cancel();
			if (!answer.ok) {
				throw new Error(`it answered ${answer.status}`);
			}
		},
	};
}

function reasonOf(error: unknown): string {
	const cause = error instanceof Error ? error.cause : undefined;
	return cause instanceof Error && 'code' in cause ? String(cause.code) : 'no connection';
}
