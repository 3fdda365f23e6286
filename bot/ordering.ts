/** Restores, and what ends them, as they are ordered in Slack: begun at once, or after others have approved of them in time. */
import type {RestoreRequest} from '../base/shapes/restores.ts';
import {approvalsForAll} from './access.ts';
import {type RestoreOrder, waitsFor} from './approvals.ts';
import {type Approving, createApproving} from './approving.ts';
import type {Origin} from './deliveries.ts';
import {answer, type Desk, start} from './desk.ts';
import {notice} from './messages/lists.ts';
import {code} from './text.ts';

export interface Ordering {
	/**
	 * @param reference works once
	 * @param needed how many people must want it, the one who asks included
	 * @returns the run; undefined where others must approve first
	 */
	order: (origin: Origin, order: RestoreOrder, reference: string, needed: number) => Promise<string | undefined>;
	/** What ends a restore, and is said to who asks. @returns the run; undefined where others must approve first */
	settle: (origin: Origin, verb: 'undo' | 'finish', run: string, reference: string) => Promise<string | undefined>;
	/** A button of an approval. */
	decide: Approving['decide'];
}

/** What those work with by whom restores are ordered, too. */
export interface Ordered {
	desk: Desk;
	ordering: Ordering;
}

export function createOrdering(desk: Desk, options: {approvalMs?: number | undefined} = {}): Ordering {
	const {fleet, rules} = desk;
	const approving = createApproving(desk, {begin: async (...order) => begin(desk, ...order), ...options});

	const order: Ordering['order'] = async (origin, wanted, reference, needed) => {
		if (needed > 1) {
			await approving.ask(origin, wanted, reference, needed);
			return undefined;
		}

		return begin(desk, origin, wanted, {reference, approvers: []});
	};

	return {
		decide: approving.decide,
		order,
		async settle(origin, verb, run, reference) {
			const {host, target, label} = await fleet.ofRun(run);
			const wanted = {host: host.name, target, point: '', only: [], acknowledged: [], settles: {verb, run}, by: origin.user};
			const needed = approvalsForAll(rules, await fleet.touched({host, target, label}));
			const begun = await order(origin, wanted, reference, needed);
			const what = `${verb} of restore ${code(run)}`;
			await answer(
				desk,
				origin,
				begun === undefined ? notice('🔐', `${what}: ${waitsFor(needed)}`) : notice('▶️', `${what} is run ${code(begun)}`),
			);
			return begun;
		},
	};
}

/** @returns the run */
async function begin(
	desk: Desk,
	origin: Origin,
	{host: name, target, point, only, into, acknowledged, settles, by}: RestoreOrder,
	{reference, approvers}: {reference: string; approvers: readonly string[]},
): Promise<string> {
	const {fleet} = desk;
	const host = fleet.host(name);
	const placed = {host, target, label: fleet.label(name, target)};
	const isApproved = approvers.length > 0;
	const known = {placed, reference, operation: 'restore', approvers, by} as const;
	if (settles !== undefined) {
		return start(desk, origin, {
			...known,
			action: isApproved ? 'approve' : settles.verb,
			also: await fleet.touched(placed),
			subject: settles.run,
			begin: async trigger => host.client[`${settles.verb}Restore`](settles.run, trigger),
		});
	}

	const request: Omit<RestoreRequest, 'trigger'> = {target, point, only, ...(into === undefined ? {} : {into}), acknowledged};
	return start(desk, origin, {
		...known,
		action: isApproved ? 'approve' : 'restore',
		begin: async trigger => host.client.restore({...request, trigger}),
	});
}
