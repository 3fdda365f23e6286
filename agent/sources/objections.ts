/** Which mounts a run may read as files, and why not. */
import type {Container, Mount} from '../../docker/container.ts';
import {isSameStorage, overlap, sharesStorage} from '../../docker/storage.ts';

const sockets = ['/var/run/docker.sock', '/run/docker.sock'];
const systemFiles = ['/etc/localtime', '/etc/timezone', '/etc/resolv.conf', '/etc/hosts', '/etc/hostname'];

export interface Objection {
	/** `passed over`: `volumes=true` leaves it out and says so, naming it asks for it. `left out`: the same, but it may not be named. `refused`: neither. */
	kind: 'passed over' | 'left out' | 'refused';
	/** Completes "the mount …": `is the engine's socket`. */
	why: string;
}

export interface Grounds {
	/** The engine's own folder on the host. */
	dataRoot: string;
	/** The agent's own container. */
	self: Container | undefined;
	/** Data directories of the servers that this target dumps, with the mounts that they lie in. */
	dumped: readonly Mount[];
}

export function objectionTo(mount: Mount, {dataRoot, self, dumped}: Grounds): Objection | undefined {
	const {type, hostPath, path} = mount;
	if (sockets.includes(hostPath) || sockets.includes(path)) {
		return {kind: 'left out', why: "is the engine's socket"};
	}

	if (systemFiles.includes(hostPath) || systemFiles.includes(path)) {
		return {kind: 'passed over', why: 'is a file of the system, not of the application'};
	}

	if (type === 'bind' && overlap(hostPath, dataRoot)) {
		return {kind: 'refused', why: `shows the engine's own files (${dataRoot}), and with them everybody's`};
	}

	if (self?.mounts.some(own => own.readWrite && sharesStorage(own, mount))) {
		return {kind: 'refused', why: 'is where Holdfast keeps its own repository, state or cache'};
	}

	return dumped.some(data => isSameStorage(data, mount))
		? {kind: 'left out', why: 'holds the data directory of a Postgres server that is dumped'}
		: undefined;
}
