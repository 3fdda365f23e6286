/** A restore that others must approve. Pure: all that is known stands in the signed references of its message. */

export interface RestoreOrder {
	host: string;
	target: string;
	point: string;
	/** Empty: all sources. */
	only: readonly string[];
	into?: string | undefined;
	/** The marks of the warnings that who asks has read. */
	acknowledged: readonly string[];
	/** It is no restore, but the end of one: what that replaced is put back, or let go. */
	settles?: {verb: 'undo' | 'finish'; run: string} | undefined;
	/** Who asks. */
	by: string;
}

export interface ApprovalRequest extends RestoreOrder {
	/** In the order in which they approved; without who asks. */
	approvers: readonly string[];
	/** How many people it needs, the one who asks included. */
	needed: number;
	/** Milliseconds since 1970. */
	until: number;
}

/** How long the others have. */
export const approvalMs = 15 * 60_000;

/** What it waits for, for people: `1 more person must approve within 15 minutes`. */
export const waitsFor = (needed: number): string =>
	`${needed - 1} more ${needed === 2 ? 'person' : 'people'} must approve within ${approvalMs / 60_000} minutes`;

export type Approval = {state: 'approved' | 'waiting'; request: ApprovalRequest} | {state: 'refused'; reason: string};

/** One more person approves. */
export function approve(request: ApprovalRequest, user: string, now: number): Approval {
	if (now > request.until) {
		return {state: 'refused', reason: 'the time to approve is over'};
	}

	if (user === request.by) {
		return {state: 'refused', reason: 'who asks for a restore cannot approve it'};
	}

	if (request.approvers.includes(user)) {
		return {state: 'refused', reason: 'this person approved already'};
	}

	const approved = {...request, approvers: [...request.approvers, user]};
	return {state: isApproved(approved) ? 'approved' : 'waiting', request: approved};
}

/** Distinct people, the one who asks being one of them. */
const isApproved = ({by, approvers, needed}: ApprovalRequest): boolean => new Set([by, ...approvers]).size >= needed;
