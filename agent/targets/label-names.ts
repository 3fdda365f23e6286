/** The names of all labels, without the prefix: those of a target, and those of each kind of source. */

import type {Problem} from '../../base/problem.ts';
import {nearest} from '../../base/reading/nearest.ts';
import {quote} from '../../base/reading/quote.ts';
import {kinds} from '../sources/kinds.ts';

const ofKinds = kinds.flatMap(({labels}) => Object.keys(labels));

export const labelNames: readonly string[] = [
	'enable',
	'group',
	...ofKinds,
	'schedule',
	'schedule.cold',
	'keep',
	'copies',
	'ping',
	'quiesce',
	'quiesce.with',
	'quiesce.timeout',
	'before',
	'before.user',
	'before.timeout',
	'before.on-error',
	'after',
	'after.user',
	'after.timeout',
	'after.on-error',
	'restore.stop',
	'restore.warning',
	'drill',
	'drill.sql',
	'drill.image',
];

export type Labels = Readonly<Record<string, string>>;

export const labelValue = (labels: Labels, label: string): string | undefined => (Object.hasOwn(labels, label) ? labels[label] : undefined);

export function unknownLabels(labels: Labels, {prefix, subject}: {prefix: string; subject: string}): Problem[] {
	return Object.keys(labels)
		.filter(label => label.startsWith(prefix) && !labelNames.some(name => prefix + name === label))
		.sort()
		.map(label => {
			const meant = nearest(label.slice(prefix.length), labelNames);
			return {
				message: `\`${subject}\`: unknown label ${quote(label)} with value ${quote(labels[label] ?? '')}`,
				hint: meant === undefined ? 'docs/labels.md lists the labels' : `did you mean \`${prefix}${meant}\`?`,
			};
		});
}

/** Labels that say how to do what no label asks for. */
export function orphans(labels: Labels, {prefix, subject}: {prefix: string; subject: string}): Problem[] {
	return [...ofKinds, 'before', 'after']
		.filter(name => labelValue(labels, prefix + name) === undefined)
		.flatMap(owner =>
			labelNames
				.filter(name => name.startsWith(`${owner}.`) && labelValue(labels, prefix + name) !== undefined)
				.map(name => ({name, owner})),
		)
		.map(({name, owner}) => ({
			message: `\`${subject}\`: \`${prefix}${name}\` needs \`${prefix}${owner}\`, got ${quote(labelValue(labels, prefix + name) ?? '')} alone`,
		}));
}
