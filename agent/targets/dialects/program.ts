/** The other program's own container, beside those that it looks after: what its environment and its mounts say is meant for its project. Pure. */

import type {DialectName} from '../../../base/reading/values.ts';
import type {Container, Mount} from '../../../docker/container.ts';
import {describeStorage, sharesStorage} from '../../../docker/storage.ts';
import type {Meant} from './dialect.ts';
import {isProgram, type Settings} from './settings.ts';

export interface Program {
	name: DialectName;
	/** Its container's. */
	container: string;
	/** Of Compose. It says nothing of any other. */
	project: string | undefined;
	settings: Settings;
	/** What it stores and no other container of its project may write: by whom it is read, it is theirs. */
	unwritten: readonly Mount[];
	/** What it stores and no other container of its project has. */
	unmounted: readonly Mount[];
}

/** Ours, by the labels of a target, for what is a variable of Holdfast's. */
const labelOf: ReadonlyMap<string, string> = new Map([
	['HOLDFAST_SCHEDULE', 'schedule'],
	['HOLDFAST_KEEP', 'keep'],
]);

type Served = Pick<Container, 'name' | 'image' | 'project' | 'labels' | 'mounts'>;

/** Pure. @param containers all of the engine */
export function programOf(
	name: DialectName,
	{container, settings, containers}: {container: Pick<Container, 'name' | 'project'>; settings: Settings; containers: readonly Served[]},
): Program {
	const {project} = container;
	const {storages = []} = settings;
	const mounts = containers.flatMap(each => (each.project === project && !isProgram(name, each.image) ? each.mounts : []));
	const without = (others: readonly Mount[]) => storages.filter(storage => !others.some(mount => sharesStorage(mount, storage)));
	const unmounted = without(mounts);
	return {
		name,
		container: container.name,
		project,
		settings,
		unmounted,
		unwritten: without(mounts.filter(({readWrite}) => readWrite)).filter(storage => !unmounted.includes(storage)),
	};
}

/** What labels of theirs say, and what stands in the environment of who reads them. */
export function withProgram(
	meant: readonly Meant[],
	container: Served,
	{name, programs}: {name: DialectName; programs: readonly Program[]},
): {meant: readonly Meant[]; lost: readonly string[]} {
	// Its own labels are about its own archives.
	if (isProgram(name, container.image)) {
		return {meant: [], lost: []};
	}

	const all = programs.filter(each => each.name === name);
	const beside = all.filter(each => each.project !== undefined && each.project === container.project);
	const found = heeding(withStorages(meant, container, beside), container, beside);
	const {settings} =
		beside.find(each => stores(each, container)) ?? beside.find(each => each.settings.isMeant(container)) ?? beside[0] ?? {};
	const enabled = found.find(({name: ours}) => ours === 'enable')?.value;
	if (settings === undefined) {
		return {meant: found, lost: enabled === 'true' ? all.slice(0, 1).map(elsewhere) : []};
	}

	if (enabled !== 'true' && !(settings.all && enabled === undefined)) {
		return {meant: found, lost: []};
	}

	const variables = settings.variables.flatMap(({name: variable, value, because}) => {
		const ours = labelOf.get(variable);
		return ours === undefined ? [] : [{name: ours, value, because: `${because} of its own container`}];
	});
	return {meant: [...found, ...variables], lost: [...settings.lost, ...beside.flatMap(notTaken), ...unstored(found, container, beside)]};
}

const elsewhere = ({container, project}: Program): string =>
	`what stands in the environment of container \`${container}\`${project === undefined ? '' : ` (project \`${project}\`)`}, and which volumes it has, is not heeded: it is of another project`;

export const notTaken = ({unmounted, container}: Program): string[] =>
	unmounted.map(
		mount =>
			`\`${container}\` stores the ${describeStorage(mount)} (at \`${mount.path}\`), which no service of the project has: nobody backs it up here`,
	);

/** Who is told to stand still, and none of whose storages is stored. */
function unstored(meant: readonly Meant[], {mounts}: Served, beside: readonly Program[]): string[] {
	const storing = beside.filter(({settings: {storages = [], takesAll}}) => takesAll && storages.length > 0);
	const isWhole = meant.some(({name, value}) => name === 'volumes' && value === 'true') && mounts.some(({readWrite}) => readWrite);
	return isWhole && storing.length > 0 && storing.length === beside.length
		? [
				`none of its volumes is stored by ${storing.map(({container}) => `\`${container}\``).join(', ')}, and all that it may write is backed up here`,
			]
		: [];
}

const stores = ({settings: {storages = []}}: Program, {mounts}: Pick<Container, 'mounts'>): boolean =>
	mounts.some(mount => mount.readWrite && storages.some(other => sharesStorage(mount, other)));

/** Which volumes are stored is said by the mounts of the other program's own container, where it has such. */
export function withStorages(meant: readonly Meant[], {mounts}: Pick<Container, 'mounts'>, programs: readonly Program[]): readonly Meant[] {
	const isEnabled = meant.some(({name, value}) => name === 'enable' && value === 'true');
	const heeded = programs.filter(({settings: {takesAll}}) => takesAll || isEnabled);
	const of = (which: (program: Program) => readonly Mount[]) => heeded.flatMap(which);
	const [storages, unwritten] = [of(({settings}) => settings.storages ?? []), of(program => program.unwritten)];
	const stored = mounts.filter(mount => (mount.readWrite ? storages : unwritten).some(other => sharesStorage(mount, other)));
	if (stored.length === 0 || meant.some(({name, value}) => name === 'enable' && value === 'false')) {
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

/** Whom it names in its environment. */
export function heeding(meant: readonly Meant[], {name}: Served, programs: readonly Program[]): readonly Meant[] {
	const naming = (which: 'skipped' | 'unstopped') => programs.find(({settings}) => settings[which]?.names.includes(name))?.settings[which];
	const [skipped, unstopped] = [naming('skipped'), naming('unstopped')];
	return skipped === undefined
		? meant.filter(({name: ours}) => unstopped === undefined || ours !== 'quiesce')
		: [{name: 'enable', value: 'false', because: `${skipped.because} of its own container`}];
}
