/** Labels of other programs → ours. What a container says in our own words counts more. */
import {printable} from '../../../base/printable.ts';
import type {DialectName} from '../../../base/reading/values.ts';
import type {Container} from '../../../docker/container.ts';
import type {Labels} from '../label-names.ts';
import type {Dialect} from './dialect.ts';
import {nautical} from './nautical.ts';
import {offen} from './offen.ts';
import {type Program, withProgram} from './program.ts';
import {stackBack} from './stack-back.ts';

const dialects: Readonly<Record<DialectName, Dialect>> = {offen, 'stack-back': stackBack, nautical};

export const dialectOf = (name: DialectName): Dialect => dialects[name];

export interface Translated {
	labels: Labels;
	/** What was made of what, and what of nothing: for people. */
	notes: readonly string[];
}

/** What is understood beside our own labels, and of whom. */
export interface Understood {
	prefix: string;
	names: readonly DialectName[];
	/** Their own containers on this engine. */
	programs: readonly Program[];
}

export function translate(
	container: Pick<Container, 'image' | 'project' | 'labels' | 'mounts'>,
	{prefix, names, programs}: Understood,
): Translated {
	const labels: Record<string, string> = {...container.labels};
	const notes: string[] = [];
	for (const name of names) {
		const {meant, lost} = dialects[name](container);
		const all = withProgram(meant, container, {name, programs});
		for (const {name, value, because} of all.meant) {
			if (!Object.hasOwn(labels, prefix + name)) {
				labels[prefix + name] = value;
				notes.push(printable(`\`${prefix}${name}=${value}\` because of \`${because}\``));
			}
		}

		notes.push(...[...lost, ...all.lost].map(printable));
	}

	return {labels, notes};
}
