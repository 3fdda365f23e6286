/** What Slack delivers, in our own words: each kind is acknowledged first and worked on afterwards, once. */
import type {App} from '@slack/bolt';
import type {Log} from '../base/log.ts';
import type {View} from './blocks.ts';
import {createDuplicates} from './duplicates.ts';

/** Who did it, and where. */
export interface Origin {
	user: string;
	teams: readonly string[];
	/** For the audit log: a channel's id, `home`, `modal`. */
	place: string;
	channel: string | undefined;
	/** Opens a modal, within three seconds. */
	triggerId: string;
	/** Takes five messages within half an hour. */
	responseUrl: string | undefined;
	/** The same when Slack delivers once more. */
	delivery: string;
}

export interface Pressed {
	/** Of the button or menu: `verb.0`. */
	actionId: string;
	/** A signed reference; of a menu the value that was chosen. */
	value: string;
	/** Of the modal that it stands in. */
	view: Submitted | undefined;
	/** Of the message that it stands on. */
	message: {channel: string; ts: string} | undefined;
}

export interface Submitted {
	id: string;
	callback: string;
	/** The signed reference that it was opened with. */
	reference: string;
	/** What was chosen and typed, by block. */
	values: Readonly<Record<string, string>>;
}

/** What a submission is answered with at once, and what is done then. */
export interface Submission {
	answer: {response_action: 'errors'; errors: Record<string, string>} | {response_action: 'update'; view: View};
	work: () => Promise<void>;
}

export interface Handlers {
	command: (command: string, text: string, origin: Origin) => Promise<void>;
	action: (pressed: Pressed, origin: Origin) => Promise<void>;
	/** Waits for nothing. */
	submission: (submitted: Submitted, origin: Origin) => Submission | undefined;
	home: (origin: Origin) => Promise<void>;
}

/** Has the app hand over all that arrives. */
export function listen(app: App, {command, action, submission, home}: Handlers, log: Log): void {
	const duplicates = createDuplicates();
	/** After the acknowledgement; once for each delivery. */
	const later = (origin: Origin, work: () => Promise<void>): void => {
		if (duplicates.isNew(origin.delivery)) {
			setImmediate(() => work().catch(error => log.error('what was asked for in Slack failed', {error, user: origin.user})));
		}
	};

	app.command(/.*/, async ({ack, body}) => {
		await ack();
		const origin = originOf(body, `command ${body.trigger_id}`);
		later(origin, async () => command(body.command, body.text ?? '', origin));
	});
	app.action(/.*/, async ({ack, body}) => {
		await ack();
		const raw = body as unknown as RawBody;
		const [pressed] = raw.actions ?? [];
		const origin = originOf(raw, `action ${raw.trigger_id} ${pressed?.action_ts}`);
		if (pressed?.action_id !== undefined) {
			later(origin, async () => action(pressedOf(raw, pressed), origin));
		}
	});
	app.view({callback_id: /.*/, type: 'view_submission'}, async ({ack, body}) => {
		const raw = body as unknown as RawBody;
		const origin = originOf(raw, `submission ${raw.trigger_id}`, 'modal');
		const answered = raw.view === undefined ? undefined : submission(submittedOf(raw.view), origin);
		await (answered === undefined ? ack() : ack(answered.answer as never));
		if (answered?.answer.response_action === 'update') {
			later(origin, answered.work);
		}
	});
	app.event('app_home_opened', async ({event, body}) => {
		const origin = {...originOf({...body, user_id: event.user}, `event ${body.event_id}`, 'home'), user: event.user};
		if (event.tab === 'home') {
			later(origin, async () => home(origin));
		}
	});
}

interface RawAction {
	action_id: string;
	action_ts?: string;
	value?: string;
	selected_option?: {value: string} | null;
}

interface RawView {
	id: string;
	hash?: string;
	callback_id: string;
	private_metadata?: string;
	state?: {values?: Record<string, Record<string, RawState>>};
}

interface RawState {
	value?: string | null;
	selected_option?: {value: string} | null;
	selected_options?: Array<{value: string}>;
}

/** What the kinds of deliveries have in common; each leaves some out. */
interface RawBody {
	user?: {id: string; team_id?: string};
	user_id?: string;
	team?: {id: string} | null;
	team_id?: string;
	channel?: {id: string};
	channel_id?: string;
	container?: {channel_id?: string; message_ts?: string};
	message?: {ts: string};
	trigger_id?: string;
	response_url?: string;
	actions?: RawAction[];
	view?: RawView & {type?: string};
}

function originOf(raw: RawBody, delivery: string, place?: string): Origin {
	const channel = raw.channel?.id ?? raw.channel_id ?? raw.container?.channel_id;
	return {
		user: raw.user?.id ?? raw.user_id ?? '',
		teams: [raw.team?.id, raw.team_id, raw.user?.team_id].filter(team => team !== undefined),
		place: place ?? channel ?? (raw.view?.type === 'home' ? 'home' : 'modal'),
		channel,
		triggerId: raw.trigger_id ?? '',
		responseUrl: raw.response_url,
		delivery,
	};
}

const submittedOf = ({id, callback_id: callback, private_metadata: reference = '', state}: RawView): Submitted => ({
	id,
	callback,
	reference,
	values: Object.fromEntries(
		Object.entries(state?.values ?? {}).flatMap(([block, elements]) =>
			Object.values(elements).map(({value, selected_option: option, selected_options: options}): [string, string] => [
				block,
				value ?? option?.value ?? options?.map(chosen => chosen.value).join(',') ?? '',
			]),
		),
	),
});

function pressedOf(
	{view, container, message, channel}: RawBody,
	{action_id: actionId, value, selected_option: option}: RawAction,
): Pressed {
	const ts = container?.message_ts ?? message?.ts;
	const where = container?.channel_id ?? channel?.id;
	return {
		actionId,
		value: value ?? option?.value ?? '',
		view: view === undefined || view.type === 'home' ? undefined : submittedOf(view),
		message: ts === undefined || where === undefined ? undefined : {channel: where, ts},
	};
}
