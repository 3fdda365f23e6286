/** lawndoc/stack-back. Its filters are parts of where a mount comes from: the path on the host, or the volume's name. */
import type {Mount} from '../../../docker/container.ts';
import {type Dialect, isTrue, type Meant} from './dialect.ts';

const prefix = 'stack-back.';

const volumes = `${prefix}volumes`;
const include = `${volumes}.include`;
const exclude = `${volumes}.exclude`;
const stop = `${volumes}.stop-during-backup`;

/** Ours for all databases of a server; theirs dumps the one of POSTGRES_DB, or all that the user sees. */
const databases: ReadonlyMap<string, string> = new Map([
	[`${prefix}postgres`, 'postgres'],
	[`${prefix}mariadb`, 'mariadb'],
	[`${prefix}mysql`, 'mariadb'],
]);

const known = new Set([volumes, include, exclude, stop, ...databases.keys()]);

const patterns = (text: string | undefined): string[] => (text ?? '').split(',').flatMap(part => part.trim() || []);

const comesFrom = ({volume, hostPath}: Mount, parts: readonly string[]): boolean =>
	parts.some(part => hostPath.includes(part) || volume?.includes(part) === true);

export const stackBack: Dialect = ({labels, mounts}) => {
	const meant: Meant[] = [];
	for (const [label, name] of databases) {
		if (isTrue(labels[label])) {
			meant.push({name, value: 'true', because: label});
		}
	}

	const [included, excluded] = [patterns(labels[include]), patterns(labels[exclude])];
	if (isTrue(labels[volumes]) || included.length > 0 || excluded.length > 0) {
		const filter = included.length > 0 ? include : exclude;
		const chosen = mounts.filter(
			mount => mount.readWrite && (included.length === 0 || comesFrom(mount, included)) && !comesFrom(mount, excluded),
		);
		const paths = chosen.length === 0 ? 'false' : JSON.stringify(chosen.map(({path}) => path).toSorted());
		meant.push(
			included.length + excluded.length === 0
				? {name: 'volumes', value: 'true', because: volumes}
				: {name: 'volumes', value: paths, because: filter},
		);
	} else if (labels[volumes] !== undefined) {
		meant.push({name: 'volumes', value: 'false', because: volumes});
	}

	if (isTrue(labels[stop])) {
		meant.push({name: 'quiesce', value: 'stop', because: stop});
	}

	const asking = meant.find(({name, value}) => name !== 'quiesce' && value !== 'false');
	const theirs = Object.keys(labels).filter(label => label.startsWith(prefix));
	return {
		meant: asking === undefined ? [] : [{name: 'enable', value: 'true', because: asking.because}, ...meant],
		lost: theirs.filter(label => !known.has(label)).map(label => `\`${label}\` is not understood`),
	};
};
