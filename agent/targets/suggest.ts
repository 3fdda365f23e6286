/** What would protect the services that nobody has labelled: each storage once, a server by its dump where it is known well. Pure. */
import {isOneOff} from '../../docker/compose.ts';
import {type Container, type Mount, workerLabel} from '../../docker/container.ts';
import {dependentsFirst, needsOf} from '../../docker/order.ts';
import type {Programs} from '../../docker/programs.ts';
import {describeStorage, sharesStorage} from '../../docker/storage.ts';
import {knownServers} from '../sources/kinds.ts';
import {objectionTo} from '../sources/objections.ts';
import {type Recognised, recognise} from '../sources/recognise.ts';
import {type Labels, labelValue} from './label-names.ts';

export interface Suggestion {
	container: Container;
	/** Without the prefix, and without those that it has. */
	labels: Labels;
	/** For people, a reason each. */
	why: readonly string[];
	/** It is a server that Holdfast dumps, or whose command does. */
	isServer: boolean;
}

export interface Unlabelled {
	/** All of the engine. */
	containers: readonly Container[];
	programs: Programs;
	/** The agent's own container. */
	self: string | undefined;
	dataRoot: string;
	prefix: string;
	/** Only what nobody need look at: a server whose dump Holdfast knows, and whose process was seen. The files of others are taken as files. */
	isSure: boolean;
	isWanted: (container: Container) => boolean;
}

/** One for each service, whatever its state: who is stopped does not lose its backups. */
export function suggestLabels({containers, programs, self, dataRoot, prefix, isSure, isWanted}: Unlabelled): Suggestion[] {
	const own = containers.find(({id}) => id === self);
	const isOwn = ({id, imageId, labels}: Container) => id === self || imageId === own?.imageId || labels[workerLabel] !== undefined;
	const enable = ({labels}: Container) => labelValue(labels, `${prefix}enable`);
	const candidates = containers.filter(container => !isOwn(container) && !isOneOff(container.labels));
	const taken: Mount[] = candidates.filter(container => isOn(enable(container))).flatMap(writtenBy);
	const services = new Set<string>();
	// A storage belongs to whom others need.
	return dependentsFirst(candidates, containers)
		.toReversed()
		.toSorted((a, b) => Number(b.state === 'running') - Number(a.state === 'running'))
		.flatMap(container => {
			const service = `${container.project ?? ''}/${container.service ?? container.name}`;
			if (enable(container) !== undefined || !isWanted(container) || services.has(service)) {
				return [];
			}

			services.add(service);
			const mounts = writtenBy(container).filter(mount => objectionTo(mount, {dataRoot, self: own, claims: []}) === undefined);
			const free = mounts.filter(mount => !taken.some(other => sharesStorage(other, mount)));
			taken.push(...free);
			const server = serverIn(container, {programs, isSure});
			const labels = {...server?.server.labels, ...volumesOf({mounts, free, server})};
			const why = [
				...(server === undefined ? [] : [`${server.server.title}, by ${server.by}`]),
				...(labels.volumes === 'false' ? [] : free.map(mount => `writes the ${describeStorage(mount)} at ${mount.path}`)),
			];
			return why.length === 0 ? [] : [{container, labels, why, isServer: server !== undefined}];
		});
}

/** Files and the server that knows of them are of one moment only as one target: a service and the servers that it needs get its name as their group. Pure. */
export function groupServers(suggestions: readonly Suggestion[], containers: readonly Container[]): Suggestion[] {
	const needs = needsOf(
		suggestions.map(({container}) => container),
		containers,
	);
	const groups = new Map<Suggestion, string>();
	for (const suggestion of suggestions.filter(({isServer}) => !isServer)) {
		const {id, project, service} = suggestion.container;
		const servers = suggestions.filter(
			other => other.isServer && other.container.project === project && needs.get(id)?.has(other.container.id),
		);
		const group = servers.map(server => groups.get(server)).find(known => known !== undefined) ?? service;
		if (group !== undefined && servers.length > 0) {
			for (const member of [suggestion, ...servers.filter(server => !groups.has(server))]) {
				groups.set(member, group);
			}
		}
	}

	return suggestions.map(suggestion => {
		const group = groups.get(suggestion);
		return group === undefined
			? suggestion
			: {
					...suggestion,
					labels: {group, ...suggestion.labels},
					why: [
						...suggestion.why,
						`one target with ${othersOf(suggestion, groups)}: files and what the server says of them are of one moment`,
					],
				};
	});
}

function othersOf(suggestion: Suggestion, groups: ReadonlyMap<Suggestion, string>): string {
	const group = groups.get(suggestion);
	return [...groups]
		.filter(([other, theirs]) => theirs === group && other !== suggestion)
		.map(([{container}]) => `\`${container.service ?? container.name}\``)
		.join(', ');
}

const isOn = (enable: string | undefined): boolean => enable !== undefined && enable !== 'false';

const writtenBy = ({mounts}: Container): Mount[] => mounts.filter(({readWrite}) => readWrite);

function serverIn(container: Container, {programs, isSure}: {programs: Programs; isSure: boolean}): Recognised | undefined {
	const found = recognise(container, knownServers, programs.get(container.id));
	const isWell = found?.isSeen || (container.state !== 'running' && found?.by.startsWith('its image'));
	return isSure && !(found?.server.isSure && isWell) ? undefined : found;
}

/** A server that is dumped writes its own data, which is no files; what it writes beside, and what another has already, is said by name. */
function volumesOf({mounts, free, server}: {mounts: readonly Mount[]; free: readonly Mount[]; server: Recognised | undefined}): Labels {
	if (server?.server.labels.volumes !== undefined) {
		return {};
	}

	if (free.length === mounts.length) {
		return server === undefined || mounts.length < 2 ? {} : {volumes: 'true'};
	}

	return free.length === 0 ? {volumes: 'false'} : {volumes: JSON.stringify(free.map(({path}) => path))};
}
