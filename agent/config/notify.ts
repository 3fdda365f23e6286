/** Who is told how runs ended, as the environment says. */

import {listOf, matching, type Reader} from '../../base/reading/reader.ts';
import {type NotifyWord, readWanted} from '../../base/reading/wanted.ts';
import type {Environment} from './environment.ts';

export interface NotifyConfig {
	/** `failed`, or `drill:success`. */
	wanted: readonly NotifyWord[];
	webhook: {url: string; secret: string} | undefined;
	mail: {url: string; from: string; to: readonly string[]} | undefined;
}

export const notifyVariables = [
	'HOLDFAST_NOTIFY',
	'HOLDFAST_SMTP_FROM',
	'HOLDFAST_SMTP_TO',
	...['HOLDFAST_WEBHOOK_URL', 'HOLDFAST_WEBHOOK_SECRET', 'HOLDFAST_SMTP_URL'].flatMap(name => [name, `${name}_FILE`]),
];

const urlOf =
	(...protocols: readonly string[]): Reader<string> =>
	text => {
		const url = URL.canParse(text) ? new URL(text) : undefined;
		return url !== undefined && protocols.includes(url.protocol) && url.hostname !== ''
			? {value: text}
			: {rule: `must be a URL that begins with ${protocols.map(protocol => `\`${protocol}//\``).join(' or ')}`};
	};

const readSecret = matching(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, 'must be `whsec_` and at least 24 bytes in base64');
const readAddress = matching(/^[^\s@<>,]+@[^\s@<>,]+$/, 'must be mail addresses, as `ops@example.org`');

export function readNotify({secret, value, problem}: Environment): {notify: NotifyConfig; secrets: string[]} {
	const url = secret('HOLDFAST_WEBHOOK_URL', urlOf('https:', 'http:'));
	const key = secret('HOLDFAST_WEBHOOK_SECRET', readSecret);
	const smtp = secret('HOLDFAST_SMTP_URL', urlOf('smtp:', 'smtps:'));
	const from = value('HOLDFAST_SMTP_FROM', readAddress);
	const to = value('HOLDFAST_SMTP_TO', listOf(readAddress));
	if ((url === undefined) !== (key === undefined)) {
		problem(
			'`HOLDFAST_WEBHOOK_URL` and `HOLDFAST_WEBHOOK_SECRET` must be set together',
			'a secret: echo "whsec_$(openssl rand -base64 32)"',
		);
	}

	if (smtp !== undefined && (from === undefined || to === undefined)) {
		problem('`HOLDFAST_SMTP_URL` needs `HOLDFAST_SMTP_FROM` and `HOLDFAST_SMTP_TO`');
	}

	return {
		notify: {
			wanted: value('HOLDFAST_NOTIFY', listOf(readWanted)) ?? ['failed', 'partial'],
			webhook: url && key ? {url, secret: key} : undefined,
			mail: smtp && from && to ? {url: smtp, from, to} : undefined,
		},
		secrets: [url, key, smtp, ...[url, smtp].flatMap(passwordIn)].flatMap(text => text || []),
	};
}

function passwordIn(url: string | undefined): string[] {
	if (url === undefined || !URL.canParse(url)) {
		return [];
	}

	const {password} = new URL(url);
	try {
		return [password, decodeURIComponent(password)];
	} catch {
		return [password];
	}
}
