/** Who is told how runs ended, as the environment says. */

import {listOf, matching, oneOf} from '../../base/reading/reader.ts';
import {readWebAddress, urlOf} from '../../base/reading/url.ts';
import {type NotifyWord, readWanted} from '../../base/reading/wanted.ts';
import {type WebhookFormat, webhookFormats} from '../../base/reading/webhook-format.ts';
import type {Environment} from './environment.ts';

export interface NotifyConfig {
	/** `failed`, or `drill:success`. */
	wanted: readonly NotifyWord[];
	/** Signed, unless it goes to a chat service, which does not look. */
	webhook: {url: string; secret: string | undefined; format: WebhookFormat | undefined} | undefined;
	/** Of a dead man's switch: it hears that backups begin and end, and raises the alarm when it hears nothing. */
	pingUrl: string | undefined;
	mail: {url: string; from: string; to: readonly string[]} | undefined;
}

export const notifyVariables = [
	'HOLDFAST_NOTIFY',
	'HOLDFAST_WEBHOOK_FORMAT',
	'HOLDFAST_SMTP_FROM',
	'HOLDFAST_SMTP_TO',
	...['HOLDFAST_PING_URL', 'HOLDFAST_WEBHOOK_URL', 'HOLDFAST_WEBHOOK_SECRET', 'HOLDFAST_SMTP_URL'].flatMap(name => [name, `${name}_FILE`]),
];

const readSecret = matching(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, 'must be `whsec_` and at least 24 bytes in base64');
const readAddress = matching(/^[^\s@<>,]+@[^\s@<>,]+$/, 'must be mail addresses, as `ops@example.org`');

export function readNotify({secret, value, problem}: Environment): {notify: NotifyConfig; secrets: string[]} {
	const url = secret('HOLDFAST_WEBHOOK_URL', readWebAddress);
	const key = secret('HOLDFAST_WEBHOOK_SECRET', readSecret);
	const pingUrl = secret('HOLDFAST_PING_URL', readWebAddress);
	const smtp = secret('HOLDFAST_SMTP_URL', urlOf('smtp:', 'smtps:'));
	const from = value('HOLDFAST_SMTP_FROM', readAddress);
	const to = value('HOLDFAST_SMTP_TO', listOf(readAddress));
	const format = value('HOLDFAST_WEBHOOK_FORMAT', oneOf(...webhookFormats));
	if (url === undefined ? key !== undefined || format !== undefined : key === undefined && format === undefined) {
		problem(
			'`HOLDFAST_WEBHOOK_URL` needs `HOLDFAST_WEBHOOK_SECRET`, or, for a chat service, `HOLDFAST_WEBHOOK_FORMAT`; and neither is for anything without it',
			'a secret: echo "whsec_$(openssl rand -base64 32)"',
		);
	}

	if (smtp !== undefined && (from === undefined || to === undefined)) {
		problem('`HOLDFAST_SMTP_URL` needs `HOLDFAST_SMTP_FROM` and `HOLDFAST_SMTP_TO`');
	}

	return {
		notify: {
			wanted: value('HOLDFAST_NOTIFY', listOf(readWanted)) ?? ['failed', 'partial'],
			webhook: url && (key || format) ? {url, secret: key, format} : undefined,
			pingUrl: pingUrl || undefined,
			mail: smtp && from && to ? {url: smtp, from, to} : undefined,
		},
		secrets: [url, key, smtp, pingUrl, ...[url, smtp, pingUrl].flatMap(passwordIn)].flatMap(text => text || []),
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
