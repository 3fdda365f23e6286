/** A webhook, signed as https://www.standardwebhooks.com describes it. */
import {createHmac} from 'node:crypto';
import type {WebhookFormat} from '../../base/reading/webhook-format.ts';
import {fill} from './fill.ts';
import {type Message, nameOf} from './message.ts';
import {post} from './post.ts';
import type {Receiver} from './queue.ts';
import {formats} from './templates.ts';

export interface Webhook {
	url: string;
	/** `whsec_` and the key in base64; undefined: it is not signed. */
	secret: string | undefined;
	/** Undefined: the message as it is. */
	format?: WebhookFormat | undefined;
}

const secretPrefix = 'whsec_';

export function webhook({url, secret, format}: Webhook): Receiver<Message> {
	const key = secret === undefined ? undefined : Buffer.from(secret.slice(secretPrefix.length), 'base64');
	return {
		name: 'the webhook',
		async send(message, signal) {
			const {body, headers} =
				format === undefined
					? {body: JSON.stringify(message), headers: {'Content-Type': 'application/json'}}
					: fill(formats[format], message);
			// The same at every try, so that a receiver that took it already can tell.
			const id = `msg_${nameOf(message).id.replaceAll(/[^\w.-]/g, '_')}`;
			const timestamp = Math.floor(Date.now() / 1000);
			const signature = key && createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
			const signed = signature && {'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': `v1,${signature}`};
			await post(url, {body, headers: {...headers, ...signed}, signal});
		},
	};
}
