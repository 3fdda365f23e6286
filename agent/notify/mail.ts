/** E-mail. The only importer of nodemailer. */
import {single} from '../../base/once.ts';
import {lines, type Message, nameOf, titleOf} from './message.ts';
import type {Receiver} from './queue.ts';

export interface Mail {
	/** `smtp://user:password@host:587` or `smtps://…`. */
	url: string;
	from: string;
	to: readonly string[];
}

const patienceMs = 10_000;

export function mail({url, from, to}: Mail): Receiver<Message> {
	const {protocol, username, searchParams} = new URL(url);
	// Only with the first mail: most agents send none.
	const connect = single(async () => {
		const {createTransport} = await import('nodemailer');
		return createTransport({
			url,
			// A password is not sent in the clear.
			requireTLS: protocol === 'smtp:' && username !== '' && searchParams.get('ignoreTLS') !== 'true',
			connectionTimeout: patienceMs,
			greetingTimeout: patienceMs,
			socketTimeout: patienceMs,
			disableFileAccess: true,
			disableUrlAccess: true,
		});
	});
	return {
		name: 'the mail server',
		async send(message) {
			try {
				const transport = await connect();
				await transport.sendMail({
					from,
					to: [...to],
					subject: `[holdfast] ${titleOf(message)}`,
					text: `${lines(message).join('\n')}\n`,
					messageId: `<${nameOf(message).id.replaceAll(/[^\w.-]/g, '_')}.${message.type === 'holdfast.notice' ? 'notice' : message.data.operation}@holdfast.invalid>`,
					headers: {'Auto-Submitted': 'auto-generated'},
				});
			} catch (error) {
				const {code = 'failed', responseCode} = error as {code?: string; responseCode?: number};
				throw new Error(responseCode === undefined ? `it cannot be reached: ${code}` : `it answered ${responseCode}`);
			}
		},
	};
}
