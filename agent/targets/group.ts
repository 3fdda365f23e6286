/** Several services that are one target: what only the target as a whole can have. */

import {quote} from '../../base/reading/quote.ts';
import type {Member} from './discovery.ts';
import type {Policy, Problem} from './labels.ts';

/** Given on any member of a group, and then for all of it. */
const shared = {
	schedule: 'schedule',
	scheduleCold: 'schedule.cold',
	keep: 'keep',
	copies: 'copies',
	quiesceTimeoutMs: 'quiesce.timeout',
	drill: 'drill',
	restoreWarning: 'restore.warning',
} as const satisfies Partial<Record<keyof Policy, string>>;

/** What holds for a target as a whole. Absent means: the default. */
export type TargetPolicy = Pick<Policy, keyof typeof shared>;

export function mergePolicies(
	members: readonly Member[],
	{prefix, subject}: {prefix: string; subject: string},
): {policy: TargetPolicy; problems: Problem[]} {
	const problems: Problem[] = [];
	const policy: Record<string, unknown> = {};
	for (const key of Object.keys(shared) as Array<keyof typeof shared>) {
		const label = prefix + shared[key];
		const given = members.filter(member => member.policy[key] !== undefined);
		const differing = given.find(member => JSON.stringify(member.policy[key]) !== JSON.stringify(given[0]?.policy[key]));
		policy[key] = given[0]?.policy[key];
		if (differing !== undefined) {
			const values = [given[0], differing].map(member => `${quote(member?.container.labels[label] ?? '')} on \`${member?.service}\``);
			problems.push({
				message: `\`${subject}\`: \`${label}\` must be the same on every service of the group, got ${values.join(' and ')}`,
				hint: 'give it on one of them',
			});
		}
	}

	return {policy, problems};
}
