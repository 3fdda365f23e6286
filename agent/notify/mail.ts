/** E-mail. The only importer of nodemailer. */
import {createTransport} from 'nodemailer';
import type {Message} from './message.ts';
import type {Receiver} from './notify.ts';

export interface Mail {
	/** `smtp://user:password@host:587` or `smtps://…`. */
	url: string;
	from: string;
	to: readonly string[];
}

const patienceMs = 10_000;

export function mail({url, from, to}: Mail): Receiver {
	const {protocol, username, searchParams} = new URL(url);
	const transport = createTransport({
		url,
		// A password is not sent in the clear.
		requireTLS: protocol === 'smtp:' && username !== '' && searchParams.get('ignoreTLS') !== 'true',
		connectionTimeout: patienceMs,
		greetingTimeout: patienceMs,
		socketTimeout: patienceMs,
		disableFileAccess: true,
		disableUrlAccess: true,
	});
	return {
		name: 'the mail server',
		async send(message) {
			try {
				await transport.sendMail({
					from,
					to: [...to],
					subject: subjectOf(message),
					text: textOf(message),
					messageId: `<${message.data.run}.${message.data.operation}@holdfast.invalid>`,
					headers: {'Auto-Submitted': 'auto-generated'},
				});
			} catch (error) {
				const {code = 'failed', responseCode} = error as {code?: string; responseCode?: number};
				throw new Error(responseCode === undefined ? `it cannot be reached: ${code}` : `it answered ${responseCode}`);
			}
		},
	};
}

/** One line: a name must not begin another header. */
const line = (text: string): string => text.replaceAll(/\p{Cc}+/gu, ' ');

const subjectOf = ({data: {operation, target, outcome, host}}: Message): string =>
	line(`[holdfast] ${operation} of ${target}: ${outcome} (${host})`);

function textOf({timestamp, data}: Message): string {
	const {operation, target, outcome, host, run, point, durationSeconds, outageSeconds, sources = [], error} = data;
	const rows = [
		`${operation} of ${target} on ${host}: ${outcome}`,
		'',
		`run       ${run}`,
		`ended     ${timestamp}`,
		...(point === undefined ? [] : [`point     ${point}`]),
		...(durationSeconds === undefined ? [] : [`took      ${durationSeconds.toFixed(1)} s`]),
		...(outageSeconds === undefined ? [] : [`outage    ${outageSeconds.toFixed(1)} s`]),
		...(error === undefined ? [] : ['', `error: ${error}`]),
		...(sources.length === 0
			? []
			: ['', ...sources.map(({source, outcome, bytes}) => `${source}: ${outcome}${bytes === undefined ? '' : `, ${bytes} bytes`}`)]),
		'',
		`More: holdfast runs ${run}`,
	];
	return `${rows.map(line).join('\n')}\n`;
}
