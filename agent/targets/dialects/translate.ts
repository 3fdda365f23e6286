/** Labels of other programs → ours. What a container says in our own words counts more. */
import {label} from '../../../base/label.ts';
import {printable} from '../../../base/printable.ts';
import type {DialectName} from '../../../base/reading/values.ts';
import type {Container} from '../../../docker/container.ts';
import type {Labels} from '../label-names.ts';
import type {Dialect, Translation} from './dialect.ts';
import {nautical} from './nautical.ts';
import {offen} from './offen.ts';
import {type Program, withProgram} from './program.ts';
import {stackBack} from './stack-back.ts';

const dialects: Readonly<Record<DialectName, Dialect>> = {offen, 'stack-back': stackBack, nautical};

export const dialectOf = (name: DialectName): Dialect => dialects[name];

/** They stop also who has nothing to be backed up; here a target without data would be a fault. */
export function withData({meant, lost}: Translation, {mounts}: Pick<Container, 'mounts'>): Translation {
	const isFiles = meant.some(({name, value}) => name === 'volumes' && value === 'true') && !meant.some(({name}) => isDump(name));
	const hasFiles = mounts.some(({readWrite, path, hostPath}) => readWrite && !path.endsWith('.sock') && !hostPath.endsWith('.sock'));
	return !isFiles || hasFiles
		? {meant, lost}
		: {
				meant: [],
				lost: [
					...lost,
					`it has no data, so it is neither stopped nor asked to run anything: \`${label('quiesce.with')}\` of a service that has some names it`,
				],
			};
}

const isDump = (name: string): boolean => name === 'postgres' || name === 'mariadb';

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
	container: Pick<Container, 'name' | 'image' | 'project' | 'labels' | 'mounts'>,
	{prefix, names, programs}: Understood,
): Translated {
	const labels: Record<string, string> = {...container.labels};
	const notes: string[] = [];
	for (const name of names) {
		const {meant, lost} = withData(dialects[name](container), container);
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
