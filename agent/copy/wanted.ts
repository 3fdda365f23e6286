/** Which copies the points of a target go to. */

import {nearest} from '../../base/reading/nearest.ts';
import type {Labels} from '../targets/label-names.ts';
import {type Problem, parseLabels} from '../targets/labels.ts';

/** @param wanted what the label names; undefined: it is not given */
export const isCopiedTo = (copy: string, wanted: readonly string[] | undefined): boolean => wanted?.includes(copy) ?? true;

/** Labels that name what is not configured: what they ask for cannot be done. */
export function copyProblems(
	wanted: readonly string[] | undefined,
	{subject, label, copies}: {subject: string; label: string; copies: readonly string[]},
): Problem[] {
	return (wanted ?? [])
		.filter(name => !copies.includes(name))
		.map(name => {
			const meant = copies.length === 0 ? undefined : nearest(name, copies);
			const known =
				copies.length === 0
					? 'no copy is configured: docs/copies.md says how'
					: `there are ${copies.map(copy => `\`${copy}\``).join(', ')}`;
			return {
				message: `\`${subject}\`: \`${label}\` must be names of configured copies or \`none\`, got "${name}"`,
				hint: meant === undefined ? known : `did you mean \`${meant}\`?`,
			};
		});
}

/** For a target that is gone: what the labels of its containers asked for, as its point recorded them. One that forbids it is heeded. */
export const wereCopiedTo = (copy: string, containers: readonly Labels[], prefix: string): boolean =>
	containers.every(labels => isCopiedTo(copy, parseLabels(labels, {prefix, subject: copy}).policy.copies));
