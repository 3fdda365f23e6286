/** Slack's blocks, no larger than Slack takes them. What is given as mrkdwn was escaped before, with `text.ts`. */
import {plain} from './text.ts';

export interface Block {
	type: string;
	[field: string]: unknown;
}

export interface Message {
	/** For notifications, and readers of screens. */
	text: string;
	blocks: Block[];
}

export interface View {
	type: 'modal' | 'home';
	blocks: Block[];
	[field: string]: unknown;
}

const messageLimit = 50;
const homeLimit = 100;
const textLimit = 3000;

const mrkdwn = (text: string, limit: number) => ({type: 'mrkdwn', text: whole(text, limit), verbatim: true});

/** What is cut must not leave code open. */
function whole(text: string, limit: number): string {
	if (text.length <= limit) {
		return text;
	}

	const lines = text.slice(0, limit - 20).split('\n');
	const kept = lines.slice(0, -1).join('\n') || (lines[0] ?? '');
	return (kept.match(/```/g)?.length ?? 0) % 2 === 1 ? `${kept}\n\`\`\`` : `${kept}\n…`;
}

export const section = (text: string): Block => ({type: 'section', text: mrkdwn(text, textLimit)});
export const context = (text: string): Block => ({type: 'context', elements: [mrkdwn(text, textLimit)]});
export const header = (text: string): Block => ({type: 'header', text: {type: 'plain_text', text: plain(text, 150), emoji: false}});
export const divider: Block = {type: 'divider'};

const label = (text: string, limit: number) => ({type: 'plain_text', text: plain(text, limit), emoji: false});

export interface Button {
	verb: string;
	text: string;
	/** A signed reference. */
	value: string;
	style?: 'primary' | 'danger';
	/** Asked before it is sent. */
	confirm?: {title: string; text: string; yes: string};
}

const valueLimit = 2000;
const mostButtons = 25;

/** Undefined where no button is left: Slack takes no empty row. A button whose reference is too long is left out. */
export function buttons(all: ReadonlyArray<Button | undefined>): Block[] {
	const elements = all
		.filter(button => button !== undefined && button.value.length <= valueLimit)
		.slice(0, mostButtons)
		.map((button, index) => element(button as Button, index));
	return elements.length === 0 ? [] : [{type: 'actions', elements}];
}

const element = ({verb, text, value, style, confirm}: Button, index: number) => ({
	type: 'button',
	action_id: `${verb}.${index}`,
	text: label(text, 75),
	value,
	...(style === undefined ? {} : {style}),
	...(confirm === undefined
		? {}
		: {
				confirm: {title: label(confirm.title, 100), text: label(confirm.text, 300), confirm: label(confirm.yes, 30), deny: label('No', 30)},
			}),
});

export interface Option {
	/** At most 150 characters; never a name, which may be longer. */
	value: string;
	text: string;
	description?: string | undefined;
}

const option = ({value, text, description}: Option) => ({
	value,
	text: label(text, 75),
	...(description === undefined ? {} : {description: label(description, 75)}),
});

const mostOptions = 100;

interface SelectOptions {
	id: string;
	placeholder: string;
	options: readonly Option[];
	initial?: string | undefined;
}

/** A menu; with more options than Slack takes, in groups. At most 10,000. */
export function select({id, placeholder, options, initial}: SelectOptions): Block {
	const chosen = options.find(({value}) => value === initial);
	const groups = Array.from({length: Math.min(100, Math.ceil(options.length / mostOptions))}, (_, index) =>
		options.slice(index * mostOptions, (index + 1) * mostOptions),
	);
	return {
		type: 'static_select',
		action_id: id,
		placeholder: label(placeholder, 150),
		...(groups.length > 1
			? {option_groups: groups.map(group => ({label: label(`${group[0]?.text} …`, 75), options: group.map(option)}))}
			: {options: options.map(option)}),
		...(chosen === undefined ? {} : {initial_option: option(chosen)}),
	};
}

export const input = (
	id: string,
	name: string,
	inner: Block,
	{hint, optional = false}: {hint?: string; optional?: boolean} = {},
): Block => ({
	type: 'input',
	block_id: id,
	label: label(name, 2000),
	element: inner,
	optional,
	...(hint === undefined ? {} : {hint: label(hint, 2000)}),
});

export const textField = (id: string, placeholder: string): Block => ({
	type: 'plain_text_input',
	action_id: id,
	placeholder: label(placeholder, 150),
	max_length: 300,
});

export const checkbox = (id: string, text: string): Block => ({type: 'checkboxes', action_id: id, options: [option({value: 'yes', text})]});

export interface ModalOptions {
	callback: string;
	title: string;
	submit?: string;
	/** A signed reference. */
	reference: string;
	blocks: readonly Block[];
}

export const modal = ({callback, title, submit, reference, blocks}: ModalOptions): View => ({
	type: 'modal',
	callback_id: callback,
	title: label(title, 24),
	close: label('Close', 24),
	...(submit === undefined ? {} : {submit: label(submit, 24)}),
	private_metadata: reference,
	blocks: upTo(blocks, homeLimit),
});

export const message = (text: string, blocks: readonly Block[]): Message => ({text, blocks: upTo(blocks, messageLimit)});

/** As many as Slack takes; that some are left out is said. */
const upTo = (blocks: readonly Block[], limit: number): Block[] =>
	blocks.length <= limit
		? [...blocks]
		: [...blocks.slice(0, limit - 1), context(`… and ${blocks.length - limit + 1} more; the command line shows all`)];
