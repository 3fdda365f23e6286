/** What the bot's parts work with. */
import type {AccessRules} from '../agent/config/slack.ts';
import {explain} from '../base/errors.ts';
import type {Log} from '../base/log.ts';
import type {Action} from './access.ts';
import type {Message} from './blocks.ts';
import type {Board} from './board.ts';
import type {Origin} from './deliveries.ts';
import type {Fleet, Host, Placed} from './fleet.ts';
import {type Guard, RefusedError} from './guard.ts';
import {failure, notice} from './messages/lists.ts';
import type {References} from './references.ts';
import type {RunMessages} from './runs.ts';
import type {Slack} from './slack.ts';
import {code} from './text.ts';

export interface Desk {
	slack: Slack;
	fleet: Fleet;
	guard: Guard;
	board: Board;
	references: References;
	runs: RunMessages;
	rules: AccessRules;
	log: Log;
	/** Where what concerns everybody is posted. */
	channel: string | undefined;
	now: () => number;
}

/** Where a run that somebody asks for is told of. Without any channel: to that person. */
export const channelOf = ({channel}: Pick<Desk, 'channel'>, origin: Origin): string => channel ?? origin.channel ?? origin.user;

/** Only to who asked. That it cannot be said is no failure of what was done. */
export async function answer(
	{slack, log}: Pick<Desk, 'slack' | 'log'>,
	origin: Origin,
	message: Message,
	options: {replace?: boolean} = {},
): Promise<void> {
	try {
		if (origin.responseUrl !== undefined) {
			await slack.respond(origin.responseUrl, message, options);
		} else if (origin.channel === undefined) {
			await slack.call('chat.postMessage', {channel: origin.user, ...message});
		} else {
			await slack.call('chat.postEphemeral', {channel: origin.channel, user: origin.user, ...message});
		}
	} catch (error) {
		log.warning('an answer did not reach Slack', {error, user: origin.user});
	}
}

/** Failures become answers. */
export async function answering(desk: Pick<Desk, 'slack' | 'log'>, origin: Origin, what: string, work: () => Promise<void>): Promise<void> {
	try {
		await work();
	} catch (error) {
		if (!(error instanceof RefusedError)) {
			await answer(desk, origin, failure(what, explain(error)));
		} else if (!error.isRepeated) {
			await answer(desk, origin, notice('⛔', `${what}: ${code(error.message, 500)}`));
		}
	}
}

export interface Start {
	action: Action;
	placed: Placed;
	reference: string;
	/** What the audit log names; the target's name unless given. */
	subject?: string;
	operation: 'backup' | 'restore' | 'drill' | 'check' | 'prune';
	approvers?: readonly string[];
	/** Labels of further targets that it touches. */
	also?: readonly string[];
	/** Gives the run's id. */
	begin: (trigger: string) => Promise<string>;
	/** Who asked, where that is another than who presses. */
	by?: string;
}

/** Allowed, written down, begun, followed. Gives the run. @throws {RefusedError} and whatever the agent says */
export async function start(
	desk: Desk,
	origin: Origin,
	{action, placed, reference, subject, operation, approvers = [], also = [], begin, by}: Start,
): Promise<string> {
	const {host, target, label} = placed;
	const entry = await desk.guard.allow(origin, {action, host, target: label, also, subject: subject ?? target, reference});
	const trigger = `slack:${by ?? origin.user}`;
	const {run} = await recorded(desk, host, entry, async () => ({run: await begin(trigger)}));
	desk.runs.follow({run, host: host.name, target, label, operation, trigger, approvers}, channelOf(desk, origin));
	return run;
}

/** The entry of the audit log gets what came of it, or why nothing did. */
export async function recorded<Done extends {run?: string; outcome?: string}>(
	{log}: Pick<Desk, 'log'>,
	{client}: Host,
	entry: number,
	work: () => Promise<Done>,
): Promise<Done> {
	const complete = async (outcome: {run?: string; outcome?: string}) =>
		client
			.completeAudit(entry, outcome)
			.catch((error: unknown) => log.warning('an entry of the audit log could not be completed', {error}));
	try {
		const done = await work();
		await complete(done);
		return done;
	} catch (error) {
		await complete({outcome: explain(error).slice(0, 1000)});
		throw error;
	}
}
