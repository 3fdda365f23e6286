/** E-mail. The only importer of nodemailer. */
import {single} from '../../base/once.ts';
import {type Message, nameOf, type RunMessage} from './message.ts';
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
					subject: subjectOf(message),
					text: textOf(message),
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

/** One line: a name must not begin another header. */
const line = (text: string): string => text.replaceAll(/\p{Cc}+/gu, ' ');

const subjectOf = ({type, data}: Message): string =>
	line(
		type === 'holdfast.notice'
			? `[holdfast] ${data.target}: ${noticeWords[data.kind]} (${data.host})`
			: `[holdfast] ${data.operation} of ${data.target}: ${data.outcome} (${data.host})`,
	);

const noticeWords = {
	gone: 'not found any more',
	back: 'there again',
	shrunk: 'much smaller than before',
	resting: 'not backed up whole',
	kept: 'what a restore replaced cannot be let go',
};

const textOf = (message: Message): string =>
	message.type === 'holdfast.notice'
		? `${[message.data.message, ...(message.data.hint === undefined ? [] : ['', message.data.hint])].map(line).join('\n')}\n`
		: textOfRun(message);

function textOfRun({timestamp, data}: RunMessage): string {
	const {
		operation,
		target,
		outcome,
		host,
		run,
		point,
		durationSeconds,
		outageSeconds,
		sources = [],
		warnings = [],
		absent = [],
		error,
	} = data;
	const rows = [
		`${operation} of ${target} on ${host}: ${outcome}`,
		'',
		`run       ${run}`,
		`ended     ${timestamp}`,
		...(point === undefined ? [] : [`point     ${point}`]),
		...(durationSeconds === undefined ? [] : [`took      ${durationSeconds.toFixed(1)} s`]),
		...(outageSeconds === undefined ? [] : [`outage    ${outageSeconds.toFixed(1)} s`]),
		...(error === undefined ? [] : ['', `error: ${error}`]),
		...absent.flatMap(({source, why}) => ['', `not in the point: ${source}: ${why}`]),
		...warnings.flatMap(warning => ['', `warning: ${warning}`]),
		...(sources.length === 0
			? []
			: ['', ...sources.map(({source, outcome, bytes}) => `${source}: ${outcome}${bytes === undefined ? '' : `, ${bytes} bytes`}`)]),
		'',
		`More: holdfast runs ${run}`,
	];
	return `${rows.map(line).join('\n')}\n`;
}
