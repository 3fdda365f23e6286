/** The other program's own container, beside those that it looks after: what its environment and its mounts say is meant for its project. Pure. */

import type {DialectName} from '../../../base/reading/values.ts';
import type {Container, Mount} from '../../../docker/container.ts';
import {sharesStorage} from '../../../docker/storage.ts';
import type {Meant} from './dialect.ts';
import {isProgram, type Settings} from './settings.ts';

export interface Program {
	name: DialectName;
	/** Of Compose. It says nothing of any other. */
	project: string | undefined;
	settings: Settings;
}

/** Ours, by the labels of a target, for what is a variable of Holdfast's. */
const labelOf: ReadonlyMap<string, string> = new Map([
	['HOLDFAST_SCHEDULE', 'schedule'],
	['HOLDFAST_KEEP', 'keep'],
]);

/** What labels of theirs say, and what stands in the environment of who reads them. */
export function withProgram(
	meant: readonly Meant[],
	container: Pick<Container, 'image' | 'project' | 'labels' | 'mounts'>,
	{name, programs}: {name: DialectName; programs: readonly Program[]},
): {meant: readonly Meant[]; lost: readonly string[]} {
	const nothing = {meant, lost: []};
	if (isProgram(name, container.image)) {
		return nothing;
	}

	const beside = programs.filter(each => each.name === name && each.project !== undefined && each.project === container.project);
	const storages = beside.flatMap(({settings}) => settings.storages ?? []);
	const found = withStorages(meant, container, storages);
	const {settings} =
		beside.find(each => stores(each, container)) ?? beside.find(each => each.settings.isMeant(container)) ?? beside[0] ?? {};
	if (settings === undefined || !found.some(({name: ours, value}) => ours === 'enable' && value === 'true')) {
		return nothing;
	}

	const variables = settings.variables.flatMap(({name: variable, value, because}) => {
		const ours = labelOf.get(variable);
		return ours === undefined ? [] : [{name: ours, value, because: `${because} of its own container`}];
	});
	return {meant: [...found, ...variables], lost: settings.lost};
}

const stores = ({settings: {storages = []}}: Program, {mounts}: Pick<Container, 'mounts'>): boolean =>
	mounts.some(mount => mount.readWrite && storages.some(other => sharesStorage(mount, other)));

/** Which volumes are stored is said by the mounts of the other program's own container, where it has such. */
export function withStorages(meant: readonly Meant[], {mounts}: Pick<Container, 'mounts'>, storages: readonly Mount[]): readonly Meant[] {
	const stored = mounts.filter(mount => mount.readWrite && storages.some(other => sharesStorage(mount, other)));
	if (stored.length === 0) {
		return meant;
	}

	const because = 'a mount of its own container';
	const rest = meant.filter(({name}) => name !== 'volumes' && name !== 'enable');
	return [
		{name: 'enable', value: 'true', because},
		{name: 'volumes', value: JSON.stringify(stored.map(({path}) => path).toSorted()), because},
		...rest,
	];
}
