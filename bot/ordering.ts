/** Restores as they are ordered in Slack: begun at once, or after others have approved of them in time. */
import {explain} from '../base/errors.ts';
import type {RestoreRequest} from '../base/shapes/restores.ts';
import {type ApprovalRequest, approvalMs, approve, type RestoreOrder} from './approvals.ts';
import type {View} from './blocks.ts';
import type {Origin, Pressed} from './deliveries.ts';
import {answering, channelOf, type Desk, start} from './desk.ts';
import {RefusedError} from './guard.ts';
import {approvalMessage, decidedMessage, endView} from './messages/restore.ts';
import type {Reference} from './references.ts';
import {code, person} from './text.ts';

export interface Ordering {
	/** @returns the run */
	begin: (origin: Origin, order: RestoreOrder, reference: string, approvers: readonly string[]) => Promise<string>;
	/** Written down as asked for; the restore itself is begun by who approves last. */
	askOthers: (origin: Origin, order: RestoreOrder, reference: Pick<Reference, 'id'>, needed: number) => Promise<View>;
	/** A button of an approval. */
	decide: (origin: Origin, reference: Reference, pressed: Pressed) => Promise<void>;
}

export function createOrdering(desk: Desk): Ordering {
	const {fleet, guard, references, board, log, now} = desk;

	const begin: Ordering['begin'] = async (origin, order, reference, approvers) => {
		const {target, point, only, into, acknowledged, settles, by} = order;
		const host = fleet.host(order.host);
		const placed = {host, target, label: fleet.label(host.name, target)};
		if (settles !== undefined) {
			return start(desk, origin, {
				action: approvers.length === 0 ? settles.verb : 'approve',
				placed,
				also: await fleet.touched(placed),
				reference,
				subject: settles.run,
				operation: 'restore',
				approvers,
				by,
				begin: async trigger => host.client[`${settles.verb}Restore`](settles.run, trigger),
			});
		}

		const request: Omit<RestoreRequest, 'trigger'> = {
			target,
			point,
			only,
			...(into === undefined ? {} : {into}),
			acknowledged,
		};
		return start(desk, origin, {
			action: approvers.length === 0 ? 'restore' : 'approve',
			placed,
			reference,
			operation: 'restore',
			approvers,
			by,
			begin: async trigger => host.client.restore({...request, trigger}),
		});
	};

	const approvalKey = (id: string) => `approval ${id}`;

	const showApproval = (channel: string, request: ApprovalRequest, key: string): void => {
		const label = fleet.label(request.host, request.target);
		const {until: deadline, ...rest} = request;
		const order = {...rest, deadline, message: key};
		const left = Math.max(1000, deadline - now());
		board.show(
			key,
			channel,
			approvalMessage({
				request,
				label,
				pointTime: undefined,
				approve: references.sign({...order, verb: 'approve'}, left),
				refuse: references.sign({...order, verb: 'refuse'}, left),
			}),
		);
	};

	const open = new Map<string, NodeJS.Timeout>();
	const end = (key: string, channel: string, request: ApprovalRequest, outcome: string): void => {
		clearTimeout(open.get(key));
		open.delete(key);
		board.show(key, channel, decidedMessage({request, label: fleet.label(request.host, request.target), outcome}));
		board.settle(key);
	};

	const askOthers: Ordering['askOthers'] = async (origin, order, reference, needed) => {
		const host = fleet.host(order.host);
		const target = fleet.label(order.host, order.target);
		const {verb: action = 'restore', run: subject = order.target} = order.settles ?? {};
		const also = order.settles === undefined ? [] : await fleet.touched({host, target: order.target, label: target});
		const entry = await guard.allow(origin, {action, host, target, also, subject, reference: reference.id});
		await host.client.completeAudit(entry, {outcome: `waits for ${needed - 1} to approve`});
		const request: ApprovalRequest = {...order, approvers: [], needed, until: now() + approvalMs};
		const key = approvalKey(reference.id);
		const channel = channelOf(desk, origin);
		showApproval(channel, request, key);
		open.set(key, setTimeout(() => end(key, channel, request, '⌛ nobody approved in time'), approvalMs).unref());
		return endView('🔐', `${needed - 1} more must approve within 15 minutes. The channel shows who.`);
	};

	return {
		begin,
		askOthers,
		async decide(origin, reference, pressed) {
			const {verb, host: name, target = '', message: key = '', deadline = 0, needed = 2, approvers = [], by = ''} = reference;
			const host = fleet.host(name);
			const label = fleet.label(host.name, target);
			const {point = '', only = [], into, acknowledged = [], settles} = reference;
			const order = {host: host.name, target, point, only, into, acknowledged, settles, by};
			const request: ApprovalRequest = {...order, approvers, needed, until: deadline};
			const touched = settles === undefined ? [label] : await fleet.touched({host, target, label});
			const channel = pressed.message?.channel ?? channelOf(desk, origin);
			if (pressed.message !== undefined) {
				board.adopt(key, pressed.message);
			}

			await answering(desk, origin, verb === 'approve' ? 'Not approved' : 'Not refused', async () => {
				if (verb === 'refuse') {
					const isOwn = origin.user === by;
					const {id} = reference;
					const entry = await guard.allow(origin, {action: 'refuse', host, target: label, also: touched, subject: target, reference: id});
					await host.client.completeAudit(entry, {outcome: isOwn ? 'withdrawn' : 'refused'});
					return end(key, channel, request, `🚫 ${isOwn ? 'withdrawn' : 'refused'} by ${person(origin.user)}`);
				}

				const approval = approve(request, origin.user, now());
				if (approval.state === 'refused') {
					throw await guard.refuse(origin, {action: 'approve', host, subject: target, reason: approval.reason});
				}

				const mayStill = await Promise.all(touched.map(async one => guard.may({...origin, user: by}, settles?.verb ?? 'restore', one)));
				if (mayStill.includes(false)) {
					throw await guard.refuse(origin, {
						action: 'approve',
						host,
						subject: target,
						reason: 'who asked may no longer restore this target',
					});
				}

				if (approval.state === 'waiting') {
					const {id} = reference;
					const entry = await guard.allow(origin, {action: 'approve', host, target: label, also: touched, subject: target, reference: id});
					await host.client.completeAudit(entry, {outcome: 'waits for more to approve'});
					return showApproval(channel, approval.request, key);
				}

				try {
					const run = await begin(origin, request, reference.id, approval.request.approvers);
					end(key, channel, approval.request, `✅ run ${code(run)} began`);
				} catch (error) {
					if (!(error instanceof RefusedError)) {
						end(key, channel, approval.request, `❌ it could not begin: ${code(explain(error), 700)}`);
					}

					throw error;
				}
			});
			log.debug('an approval was decided', {user: origin.user, verb});
		},
	};
}
