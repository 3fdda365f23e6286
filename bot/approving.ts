/** Others are asked whether a restore, or what ends one, may be: in one message, that shows who did and what came of it. */
import {explain} from '../base/errors.ts';
import {type ApprovalRequest, approve, type RestoreOrder, approvalMs as usualMs} from './approvals.ts';
import type {Origin, Pressed} from './deliveries.ts';
import {answering, channelOf, type Desk} from './desk.ts';
import {type Ask, RefusedError} from './guard.ts';
import {approvalMessage, decidedMessage} from './messages/restore.ts';
import type {Reference} from './references.ts';
import {code, person} from './text.ts';

export interface Approving {
	/** Written down as asked for. @param reference works once */
	ask: (origin: Origin, order: RestoreOrder, reference: string, needed: number) => Promise<void>;
	/** A button of the message. Who approves last begins it. */
	decide: (origin: Origin, reference: Reference, pressed: Pressed) => Promise<void>;
}

interface ApprovingOptions {
	/** Does what enough people want. @returns the run */
	begin: (origin: Origin, order: RestoreOrder, how: {reference: string; approvers: readonly string[]}) => Promise<string>;
	/** Shorter in tests. */
	approvalMs?: number | undefined;
}

/** The message of one request. */
interface Shown {
	/** Its key on the board. */
	key: string;
	channel: string;
}

export function createApproving(desk: Desk, {begin, approvalMs = usualMs}: ApprovingOptions): Approving {
	const {fleet, guard, references, board, log, now} = desk;
	const labelOf = ({host, target}: RestoreOrder) => fleet.label(host, target);

	const show = ({key, channel}: Shown, request: ApprovalRequest): void => {
		const {until: deadline, ...rest} = request;
		const left = Math.max(1000, deadline - now());
		const signed = (verb: 'approve' | 'refuse') => references.sign({...rest, deadline, message: key, verb}, left);
		const label = labelOf(request);
		board.show(key, channel, approvalMessage({request, label, pointTime: undefined, approve: signed('approve'), refuse: signed('refuse')}));
	};

	const open = new Map<string, NodeJS.Timeout>();
	const end = ({key, channel}: Shown, request: ApprovalRequest, outcome: string): void => {
		clearTimeout(open.get(key));
		open.delete(key);
		board.show(key, channel, decidedMessage({request, label: labelOf(request), outcome}));
		board.settle(key);
	};

	/** What of the request is asked of the guard, for whoever decides. */
	const askOf = async ({host: name, target, settles}: ApprovalRequest): Promise<Omit<Ask, 'action' | 'reference'> & {also: string[]}> => {
		const host = fleet.host(name);
		const label = fleet.label(name, target);
		return {host, target: label, also: settles === undefined ? [label] : await fleet.touched({host, target, label}), subject: target};
	};

	const refuse = async (origin: Origin, request: ApprovalRequest, reference: string, shown: Shown): Promise<void> => {
		const isOwn = origin.user === request.by;
		const ask = await askOf(request);
		const entry = await guard.allow(origin, {...ask, action: 'refuse', reference});
		await ask.host.client.completeAudit(entry, {outcome: isOwn ? 'withdrawn' : 'refused'});
		end(shown, request, `🚫 ${isOwn ? 'withdrawn' : 'refused'} by ${person(origin.user)}`);
	};

	const approveOne = async (origin: Origin, request: ApprovalRequest, reference: string, shown: Shown): Promise<void> => {
		const ask = await askOf(request);
		const refusal = async (reason: string) => guard.refuse(origin, {action: 'approve', host: ask.host, subject: ask.subject, reason});
		const approval = approve(request, origin.user, now());
		if (approval.state === 'refused') {
			throw await refusal(approval.reason);
		}

		const asking = {...origin, user: request.by};
		const mayStill = await Promise.all(ask.also.map(async one => guard.may(asking, request.settles?.verb ?? 'restore', one)));
		if (mayStill.includes(false)) {
			throw await refusal('who asked may no longer restore this target');
		}

		if (approval.state === 'waiting') {
			const entry = await guard.allow(origin, {...ask, action: 'approve', reference});
			await ask.host.client.completeAudit(entry, {outcome: 'waits for more to approve'});
			return show(shown, approval.request);
		}

		try {
			const run = await begin(origin, request, {reference, approvers: approval.request.approvers});
			end(shown, approval.request, `✅ run ${code(run)} began`);
		} catch (error) {
			if (!(error instanceof RefusedError)) {
				end(shown, approval.request, `❌ it could not begin: ${code(explain(error), 700)}`);
			}

			throw error;
		}
	};

	return {
		async ask(origin, order, reference, needed) {
			const host = fleet.host(order.host);
			const target = labelOf(order);
			const {verb: action = 'restore', run: subject = order.target} = order.settles ?? {};
			const also = order.settles === undefined ? [] : await fleet.touched({host, target: order.target, label: target});
			const entry = await guard.allow(origin, {action, host, target, also, subject, reference});
			await host.client.completeAudit(entry, {outcome: `waits for ${needed - 1} to approve`});
			const request: ApprovalRequest = {...order, approvers: [], needed, until: now() + approvalMs};
			const shown = {key: `approval ${reference}`, channel: channelOf(desk, origin)};
			show(shown, request);
			open.set(shown.key, setTimeout(() => end(shown, request, '⌛ nobody approved in time'), approvalMs).unref());
		},
		async decide(origin, reference, pressed) {
			const {verb, id, message: key = ''} = reference;
			const request = requestOf(reference);
			const shown = {key, channel: pressed.message?.channel ?? channelOf(desk, origin)};
			if (pressed.message !== undefined) {
				board.adopt(key, pressed.message);
			}

			const [what, work] = verb === 'approve' ? (['Not approved', approveOne] as const) : (['Not refused', refuse] as const);
			await answering(desk, origin, what, async () => work(origin, request, id, shown));
			log.debug('an approval was decided', {user: origin.user, verb});
		},
	};
}

/** All that is known of a request stands in the reference that its buttons carry. */
function requestOf({
	host = '',
	target = '',
	point = '',
	only = [],
	into,
	acknowledged = [],
	settles,
	by = '',
	approvers = [],
	needed = 2,
	deadline: until = 0,
}: Reference): ApprovalRequest {
	return {host, target, point, only, into, acknowledged, settles, by, approvers, needed, until};
}
