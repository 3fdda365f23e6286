/** What running containers write to and no target backs up. Pure. */
import type {Unprotected} from '../../base/shapes/targets.ts';
import {isOneOff} from '../../docker/compose.ts';
import {type Container, type Mount, workerLabel} from '../../docker/container.ts';
import {describeStorage, isSameStorage, shownIn} from '../../docker/storage.ts';
import {kindOf, kinds, knownServers} from '../sources/kinds.ts';
import {objectionTo} from '../sources/objections.ts';
import {recognise} from '../sources/recognise.ts';
import {labelValue} from '../targets/label-names.ts';
import {askedOf} from '../targets/target.ts';
import type {Surveyed} from './planned.ts';

interface Surroundings {
	/** The engine's own folder on the host. */
	dataRoot: string;
	/** The agent's own container. */
	self: Container | undefined;
	/** Of labels. */
	prefix: string;
	/** Programs that run in containers, by their ids, where somebody looked. */
	processes?: ReadonlyMap<string, readonly string[]>;
}

/**
 * Each storage once. What a person left out on purpose does not count: a container with `enable=false`, and of a target what its
 * `volumes` label does not name.
 */
export function findUnprotected(
	containers: readonly Container[],
	surveyed: readonly Surveyed[],
	{dataRoot, self, prefix, processes = new Map()}: Surroundings,
): Unprotected[] {
	const covered = surveyed.flatMap(({plan}) => plan.sources.flatMap(source => kindOf(source.kind).covers?.(source) ?? []));
	const isPassedOver = (mount: Mount) => objectionTo(mount, {dataRoot, self, claims: []}) !== undefined;
	const found: Array<{mount: Mount; unprotected: Unprotected}> = [];
	for (const container of containers.filter(candidate => isLookedAt(candidate, {self, prefix}))) {
		const owner = ownerOf(container, surveyed);
		for (const mount of owner?.isChosen ? [] : container.mounts) {
			const isKnown = found.some(other => isSameStorage(other.mount, mount));
			if (mount.readWrite && !isKnown && !isPassedOver(mount) && !covered.some(each => isCovered(mount, each))) {
				const {path} = mount;
				const unprotected = {container: container.name, storage: describeStorage(mount), path, ...serverOf(container, processes)};
				const {target, instead} = owner ?? {};
				found.push({mount, unprotected: {...unprotected, ...(target && {target}), ...(instead && {instead})}});
			}
		}
	}

	return found.map(({unprotected}) => unprotected);
}

/** Another agent is not looked at either: its repository is no source. */
function isLookedAt(container: Container, {self, prefix}: Pick<Surroundings, 'self' | 'prefix'>): boolean {
	const {labels, state, id, imageId} = container;
	const isHoldfast = labels[workerLabel] !== undefined || id === self?.id || imageId === self?.imageId;
	const isOff = labelValue(labels, `${prefix}enable`) === 'false';
	return (state === 'running' || state === 'paused') && !isHoldfast && !isOff && !isOneOff(labels);
}

/** The target of a container; `isChosen`: its label says which of its volumes are backed up. */
function ownerOf(
	{id}: Container,
	surveyed: readonly Surveyed[],
): {target: string; isChosen: boolean; instead: string | undefined} | undefined {
	for (const {target} of surveyed) {
		const member = target.members.find(({replicas}) => replicas.some(replica => replica.id === id));
		if (member !== undefined) {
			const instead = member.container.id === id ? undefined : member.container.name;
			return {target: target.name, instead, isChosen: kinds.some(kind => kind.choosesMounts?.(askedOf(member, kind).policy))};
		}
	}

	return undefined;
}

const isCovered = (mount: Mount, {mount: theirs, withInside}: {mount: Mount; withInside: boolean}): boolean =>
	isSameStorage(theirs, mount) || (withInside && shownIn(theirs, mount, mount.path) !== undefined);

/** What asks for a server that it looks like. */
function serverOf(container: Container, processes: ReadonlyMap<string, readonly string[]>): Pick<Unprotected, 'server'> {
	const found = recognise(container, knownServers, processes.get(container.id));
	return found === undefined ? {} : {server: {title: found.server.title, by: found.by, labels: found.server.labels}};
}
