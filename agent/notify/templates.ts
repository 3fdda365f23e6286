/** What chat services want to be sent, as data: filled in by `fill.ts`, all in one way. */

import type {WebhookFormat} from '../../base/reading/webhook-format.ts';

/** In texts, `{title}` and `{text}` are filled in; a value that is one of these alone is the number or text of the level. */
export type Template = null | boolean | number | string | readonly Template[] | {readonly [key: string]: Template};

export interface Format {
	/** JSON; a text is sent as it is. */
	body: Template;
	headers?: Readonly<Record<string, string>>;
	/** Characters of the text; beyond, it is cut. */
	limit: number;
	/** What the service would take for more than text, each with what is in its place: names and errors are hostile. */
	tamed?: ReadonlyArray<readonly [pattern: RegExp, instead: string]>;
}

/** A name in a text calls people, or everybody. */
const mentions = [/@/g, '@\u200B'] as const;

/** In a block of code nothing but its end means anything. */
const codeBlock = [/`/g, "'"] as const;

export const formats = {
	/** `content`: https://discord.com/developers/docs/resources/webhook#execute-webhook; 2,000 characters */
	discord: {
		body: {content: '{icon} **{title}**\n```\n{text}\n```', allowed_mentions: {parse: []}},
		limit: 1500,
		tamed: [codeBlock],
	},
	/** The address is that of the topic: https://docs.ntfy.sh/publish/; 4,096 bytes, else it becomes an attachment */
	ntfy: {
		body: '{text}',
		headers: {Title: '{title}', Priority: '{priority}', Tags: '{tag}'},
		limit: 1200,
	},
	/** The address has the token: `https://gotify.example.org/message?token=…` (https://gotify.net/docs/pushmsg) */
	gotify: {
		body: {title: '{title}', message: '{text}', priority: '{priority*2}'},
		limit: 4000,
	},
	/** https://developers.mattermost.com/integrate/webhooks/incoming/; Slack's and Rocket.Chat's take the same */
	mattermost: {
		body: {text: '{icon} **{title}**\n```\n{text}\n```'},
		limit: 3000,
		tamed: [codeBlock, mentions],
	},
	/** `https://api.telegram.org/bot<token>/sendMessage?chat_id=…` (https://core.telegram.org/bots/api#sendmessage); 4,096 characters */
	telegram: {
		body: {text: '{icon} {title}\n\n{text}', link_preview_options: {is_disabled: true}},
		limit: 3000,
	},
} as const satisfies Record<WebhookFormat, Format>;
