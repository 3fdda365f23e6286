/**
 * What buttons and modals carry: an order, signed, so that nobody but this bot can have written it. Whether it was used before
 * is asked of the agent, which remembers it beyond a restart.
 */
import {createHash, createHmac, randomBytes, timingSafeEqual} from 'node:crypto';

const hourMs = 3_600_000;

/** How long buttons may be pressed. */
export const lifetimes = {answer: hourMs, home: 24 * hourMs, run: 7 * 24 * hourMs, modal: hourMs};

export interface Order {
	/** What is asked for: `backup`, `approve`, `choose`, … */
	verb: string;
	/** Of the agent. */
	host?: string | undefined;
	target?: string | undefined;
	point?: string | undefined;
	run?: string | undefined;
	/** Empty: all sources of the point. */
	only?: readonly string[] | undefined;
	into?: string | undefined;
	/** The marks of the warnings that must be read before a restore, and are shown with it. */
	acknowledged?: readonly string[] | undefined;
	/** The restore that is to be settled, and how. */
	settles?: {verb: 'undo' | 'finish'; run: string} | undefined;
	/** How many people it needs, and until when they may approve. */
	needed?: number | undefined;
	deadline?: number | undefined;
	/** The only person who may use it. */
	by?: string | undefined;
	/** Who approved already. */
	approvers?: readonly string[] | undefined;
	/** The key of the message that it stands on. */
	message?: string | undefined;
	page?: number | undefined;
}

export interface Reference extends Order {
	id: string;
	team: string;
	/** Milliseconds since 1970. */
	until: number;
}

export type Opened = {reference: Reference} | {problem: 'forged' | 'expired'};

export interface References {
	sign: (order: Order, lifetimeMs: number) => string;
	open: (text: string) => Opened;
}

export interface ReferencesOptions {
	/** The same after a restart: buttons outlive the bot. */
	secret: string;
	team: () => string;
	now?: () => number;
}

export function createReferences({secret, team, now = Date.now}: ReferencesOptions): References {
	const key = createHmac('sha256', secret).update('holdfast references').digest();
	const seal = (content: string) => createHmac('sha256', key).update(content).digest();
	return {
		sign(order, lifetimeMs) {
			const reference: Reference = {...order, id: randomBytes(9).toString('base64url'), team: team(), until: now() + lifetimeMs};
			const content = Buffer.from(JSON.stringify(reference)).toString('base64url');
			return `${content}.${seal(content).toString('base64url')}`;
		},
		open(text) {
			const [content = '', given = '', ...rest] = text.split('.');
			const [expected, got] = [seal(content), Buffer.from(given, 'base64url')];
			// One spelling only: base64url of 32 bytes has others, and each would be another reference
			const isOurs =
				rest.length === 0 && got.length === expected.length && timingSafeEqual(expected, got) && got.toString('base64url') === given;
			if (!isOurs) {
				return {problem: 'forged'};
			}

			const reference = JSON.parse(Buffer.from(content, 'base64url').toString()) as Reference;
			return reference.until < now() ? {problem: 'expired'} : {reference};
		},
	};
}

const commandMark = 'command-';

/** What a typed command is known by. Slack may deliver one twice, also to a bot that was started again in between. @param part of several things that one command does */
export const referenceOfCommand = ({delivery}: {delivery: string}, part = ''): string =>
	`${commandMark}${createHash('sha256').update(`${delivery} ${part}`).digest('hex').slice(0, 40)}`;

export const isOfCommand = (reference: string): boolean => reference.startsWith(commandMark);
