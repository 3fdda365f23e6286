/** Several services that are one target: what only the target as a whole can have. */

import type {Problem} from '../../base/problem.ts';
import {quote} from '../../base/reading/quote.ts';
import type {Member, TargetPolicy} from './target.ts';
import {shared} from './target.ts';

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
