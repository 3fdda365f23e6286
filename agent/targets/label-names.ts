/** The names of all labels, without the prefix: those of a target, and those of each kind of source. */

import type {Problem} from '../../base/problem.ts';
import {nearest} from '../../base/reading/nearest.ts';
import {quote} from '../../base/reading/quote.ts';
import {kinds} from '../sources/kinds.ts';

const ofKinds = kinds.flatMap(({labels}) => Object.keys(labels));

/** What people call things themselves. */
const ownName = '[a-zA-Z0-9][a-zA-Z0-9_-]*';

const familyOf = (kind: string, behind: string, name: string): string => `${kind}.${name}${behind === '' ? '' : `.${behind}`}`;

/** `stream.NAME.check` */
const ofFamilies = kinds.flatMap(({kind, named = {}}) => Object.keys(named).map(behind => familyOf(kind, behind, 'NAME')));

const families = kinds.filter(({named}) => named !== undefined);

interface OwnLabel {
	name: string;
	behind: string;
}

/** A label of such a family; a name that is also a word of it would be taken for one that was left out. */
function ownLabel({kind, named = {}}: (typeof kinds)[number], label: string): OwnLabel | undefined {
	const words = Object.keys(named).filter(word => word !== '');
	const [, name = '', behind = ''] = new RegExp(`^${kind}\\.(${ownName})(?:\\.(${words.join('|')}))?$`).exec(label) ?? [];
	return name === '' || words.includes(name) ? undefined : {name, behind};
}

/** What the labels of a kind call things, each with the labels that it has. */
export function namesOf(labels: Labels, kind: (typeof kinds)[number], prefix: string): Map<string, OwnLabel[]> {
	const found = Object.keys(labels)
		.filter(label => label.startsWith(prefix))
		.toSorted()
		.flatMap(label => ownLabel(kind, label.slice(prefix.length)) ?? []);
	return Map.groupBy(kind.named === undefined ? [] : found, ({name}) => name);
}

export const labelOf = (kind: string, {name, behind}: OwnLabel): string => familyOf(kind, behind, name);

export const labelNames: readonly string[] = [
	'enable',
	'group',
	...ofKinds,
	...ofFamilies,
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
	'restore.before',
	'restore.before.user',
	'restore.before.timeout',
	'restore.after',
	'restore.after.user',
	'restore.after.timeout',
	'restore.stop',
	'restore.warning',
	'drill',
	'drill.sql',
	'drill.image',
];

export type Labels = Readonly<Record<string, string>>;

export const labelValue = (labels: Labels, label: string): string | undefined => (Object.hasOwn(labels, label) ? labels[label] : undefined);

const isKnown = (label: string): boolean =>
	(labelNames.includes(label) && !ofFamilies.includes(label)) || families.some(kind => ownLabel(kind, label) !== undefined);

export function unknownLabels(labels: Labels, {prefix, subject}: {prefix: string; subject: string}): Problem[] {
	return Object.keys(labels)
		.filter(label => label.startsWith(prefix) && !isKnown(label.slice(prefix.length)))
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
	const named = families.flatMap(kind =>
		[...namesOf(labels, kind, prefix).values()]
			.filter(own => own.every(({behind}) => behind !== ''))
			.flatMap(own => own.map(each => ({name: labelOf(kind.kind, each), owner: labelOf(kind.kind, {...each, behind: ''})}))),
	);
	return [...ofKinds, 'before', 'after', 'restore.before', 'restore.after']
		.filter(name => labelValue(labels, prefix + name) === undefined)
		.flatMap(owner =>
			labelNames
				.filter(name => name.startsWith(`${owner}.`) && labelValue(labels, prefix + name) !== undefined)
				.map(name => ({name, owner})),
		)
		.concat(named)
		.map(({name, owner}) => ({
			message: `\`${subject}\`: \`${prefix}${name}\` needs \`${prefix}${owner}\`, got ${quote(labelValue(labels, prefix + name) ?? '')} alone`,
		}));
}
