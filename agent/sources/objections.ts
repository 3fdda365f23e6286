/** Which mounts a run may read as files, and a restore may write, and why not. */
import {basename} from 'node:path/posix';
import type {Container, Mount} from '../../docker/container.ts';
import {allShownIn, hostFoldersOf, isInside, isSameStorage, overlap, sharesStorage, shownIn} from '../../docker/storage.ts';

const sockets = ['/var/run/docker.sock', '/run/docker.sock'];
const socketNames = ['docker.sock', 'podman.sock', 'containerd.sock'];

/** Of one start of the machine, or of the container. */
const passing = ['/proc', '/sys', '/dev', '/run', '/var/run'];

/** Below them lie the disks of people: what a desktop mounts, and the folders of Windows as Docker Desktop calls them. */
const disks = ['/run/media', '/var/run/media', '/run/desktop/mnt', '/run/mnt'];

/** Of the machine, each with all that is below; as the host calls them, and the container where it has a folder of the host there. A restore of one on another day breaks the machine. */
const machine = [
	...['/boot', '/lib/modules', '/usr/lib/modules', '/lib/firmware', '/tmp/.X11-unix'],
	...['/etc/localtime', '/etc/timezone', '/usr/share/zoneinfo', '/etc/resolv.conf', '/etc/hosts', '/etc/hostname', '/etc/nsswitch.conf'],
	...['/etc/passwd', '/etc/group', '/etc/shadow', '/etc/gshadow', '/etc/subuid', '/etc/subgid', '/etc/sudoers', '/etc/machine-id'],
	...['/etc/os-release', '/usr/lib/os-release', '/etc/fstab', '/var/lib/dbus/machine-id'],
	...['/etc/ssl/certs', '/etc/pki', '/etc/ca-certificates', '/usr/share/ca-certificates', '/usr/local/share/ca-certificates'],
];

/** In a container it is where images keep their application: Paperless-ngx has its documents below, Redmine its files. */
const sourcesOfKernel = '/usr/src';

/** Compose mounts each secret here; `/var/run` leads there in most images. */
const secrets = ['/run/secrets', '/var/run/secrets'];

export interface Objection {
	/**
	 * `passed over`: `volumes=true` leaves it out and says so, naming it asks for it, and a restore of it is acknowledged. `left out`: the same, but it may not be named.
	 * `refused`: neither, and `volumes=true` is a problem.
	 */
	kind: 'passed over' | 'left out' | 'refused';
	/** Completes "the mount …": `is the engine's socket`. */
	why: string;
}

/** A place in a mount that is dealt with otherwise than as files. */
export interface Claim {
	mount: Mount;
	/** As its container sees it; the mount's own, where it is all of it. */
	path: string;
	/** Completes "the mount …" and "it …": `holds the data directory of a Postgres server that is dumped`. */
	why: string;
	/** A person is told when it is left out. */
	isTold: boolean;
}

export interface Grounds {
	/** The engine's own folder on the host. */
	dataRoot: string;
	/** The agent's own container. */
	self: Container | undefined;
	/** What is dealt with otherwise. */
	claims: readonly Claim[];
}

/** What forbids it, or would have it named. */
export function objectionTo(mount: Mount, {dataRoot, self, claims}: Grounds): Objection | undefined {
	const {hostPath, path} = mount;
	const places = hostFoldersOf(mount);
	if (mount.isAstray) {
		return {
			kind: 'refused',
			why: 'leads to another folder than when its container was started, which still has the former one: restart the container',
		};
	}

	if ([hostPath, path].some(place => sockets.includes(place) || socketNames.includes(basename(place)))) {
		return {kind: 'left out', why: "is the engine's socket"};
	}

	if ([hostPath, path].some(place => place.endsWith('.sock'))) {
		return {kind: 'left out', why: 'is a socket, which holds no data'};
	}

	if (secrets.some(folder => isInside(path, folder))) {
		return {kind: 'left out', why: 'is a secret'};
	}

	if (places.some(folder => overlap(folder, dataRoot))) {
		return {kind: 'refused', why: `shows the engine's own files (${dataRoot}), and with them everybody's`};
	}

	if (sockets.some(socket => places.some(folder => isInside(socket, folder)))) {
		return {kind: 'left out', why: "shows the engine's socket"};
	}

	if (ownIn(mount, self) === undefined) {
		return {kind: 'refused', why: 'is where Holdfast keeps its own repository, state or cache'};
	}

	const claim = claims.find(({mount: claimed, path: all}) => claimed.path === all && isSameStorage(claimed, mount));
	return claim === undefined ? ofSystem(mount) : {kind: 'left out', why: claim.why};
}

/**
 * Folders and files that Holdfast itself writes to, by their paths from the mount's root: they are no part of the application's data, and no restore may
 * touch them. Undefined where the mount is of them, or it is not known where in it they lie.
 */
export function ownIn(mount: Mount, self: Container | undefined): string[] | undefined {
	const found: string[] = [];
	for (const own of (self?.mounts ?? []).filter(({readWrite}) => readWrite)) {
		const places = allShownIn(mount, own, own.path);
		const further = (mount.inner ?? []).filter(inner =>
			sharesStorage({...mount, type: 'bind', hostPath: '', folders: [inner], inner: []}, own),
		);
		const isOwn = places.includes('') || shownIn(own, mount, mount.path) !== undefined;
		if (isOwn || further.length > places.length || (places.length === 0 && sharesStorage(own, mount))) {
			return undefined;
		}

		found.push(...places);
	}

	const all = [...new Set(found)].sort();
	return all.filter(path => !all.some(other => other !== path && isInside(path, other)));
}

/** Completes "it is …". */
export const whyOwn = "Holdfast's own (its repository, state, cache or the like)";

/** Of a volume that is no name of a folder, the host's path is the engine's own; it is the application's, wherever it is mounted. */
function ofSystem(mount: Mount): Objection | undefined {
	const {path} = mount;
	const folders = hostFoldersOf(mount);
	const own = [...passing, ...(folders.length === 0 ? [] : machine)];
	const ofHost = [...passing, ...machine, sourcesOfKernel];
	const isOf = (place: string, of: readonly string[]) => of.some(folder => isInside(place, folder));
	if (isOf(path, own) || folders.some(folder => isOf(folder, ofHost) && !isOf(folder, disks))) {
		return {kind: 'passed over', why: 'is of the system, not of the application'};
	}

	const shown = ofHost.find(each => folders.some(folder => isInside(each, folder)));
	return shown === undefined ? undefined : {kind: 'passed over', why: `shows what is of the system (${shown}), not of the application`};
}

/** What the container may only read is another's: a library of media, a configuration, a secret. Named, it may be backed up. */
export const readOnlyObjection = ({readWrite}: Mount): Objection | undefined =>
	readWrite ? undefined : {kind: 'passed over', why: 'can only be read by the container'};
