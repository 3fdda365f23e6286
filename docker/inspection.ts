/** What only an inspection tells of a container, and the engine's list does not. It never changes, so each container is asked once, and what its volumes are with it. */
import {normalize} from 'node:path/posix';
import {type Container, type Folder, hostsOf, type Mount} from './container.ts';
import {inside} from './storage.ts';
import {foldersOf, type Volume} from './volumes.ts';

/** Of the engine's `HostConfig`. */
export interface HostConfig {
	NetworkMode?: string | undefined;
	PidMode?: string | undefined;
	IpcMode?: string | undefined;
	ReadonlyRootfs?: boolean | undefined;
	Privileged?: boolean | undefined;
	CapAdd?: readonly string[] | null | undefined;
	CapDrop?: readonly string[] | null | undefined;
	Tmpfs?: Readonly<Record<string, string>> | null | undefined;
	/** As they were asked for. `VolumeOptions.Subpath`: engine 26 and later. */
	Mounts?: ReadonlyArray<{Type: string; Target: string; VolumeOptions?: object | undefined}> | null | undefined;
}

export interface Inspection {
	livesIn: readonly string[];
	memory: readonly string[];
	isRootReadOnly: boolean;
	mayAdminister: boolean;
	/** By the path in the container. */
	subpaths: ReadonlyMap<string, string>;
}

const tidy = (path: string): string => normalize(path).replace(/(?<=.)\/$/, '');

const isAdmin = (capability: string): boolean => /^(?:CAP_)?SYS_ADMIN$/i.test(capability);

const hasAdmin = (capabilities: HostConfig['CapAdd']): boolean =>
	(capabilities ?? []).some(capability => isAdmin(capability) || /^(?:CAP_)?ALL$/i.test(capability));

export function readInspection(host: HostConfig): Inspection {
	const mounts = host.Mounts ?? [];
	const ofMemory = mounts.filter(({Type: type}) => type === 'tmpfs').map(({Target: target}) => target);
	return {
		livesIn: hostsOf([host.NetworkMode, host.PidMode, host.IpcMode]),
		memory: [...new Set([...Object.keys(host.Tmpfs ?? {}), ...ofMemory].map(tidy))],
		isRootReadOnly: host.ReadonlyRootfs ?? false,
		mayAdminister: host.Privileged === true || (hasAdmin(host.CapAdd) && !(host.CapDrop ?? []).some(isAdmin)),
		subpaths: new Map(
			mounts.flatMap(({Target: target, VolumeOptions: options}) => {
				const subpath = tidy((options as {Subpath?: string} | undefined)?.Subpath ?? '.').replace(/^\//, '');
				return subpath === '.' || subpath === '' ? [] : [[tidy(target), subpath]];
			}),
		),
	};
}

export const withSubpaths = (mounts: readonly Mount[], subpaths: ReadonlyMap<string, string>): Mount[] =>
	mounts.map(mount => {
		const subpath = mount.type === 'volume' ? subpaths.get(mount.path) : undefined;
		return subpath === undefined ? mount : {...mount, subpath};
	});

/** How many containers are asked at once. */
const askedAtOnce = 8;

interface Asking {
	ask: (id: string) => Promise<Inspection>;
	/** All of the engine. A volume cannot be made anew while a container has it. */
	volumes: () => Promise<ReadonlyArray<Pick<Volume, 'name' | 'driver' | 'options'>>>;
}

interface Known {
	inspection: Inspection;
	/** By the volume's name. */
	folders: ReadonlyMap<string, readonly Folder[]>;
}

export function createInspections({ask, volumes}: Asking): (containers: readonly Container[]) => Promise<Container[]> {
	const known = new Map<string, Known>();

	const learn = async (containers: readonly Container[]): Promise<void> => {
		const isNamed = containers.some(({mounts}) => mounts.some(({type}) => type === 'volume'));
		const found = isNamed ? await volumes().catch(() => undefined) : [];
		const folders = new Map(found?.map(({name, ...volume}) => [name, foldersOf(volume)]));
		const waiting = found === undefined ? [] : [...containers];
		const next = async (): Promise<void> => {
			for (let container = waiting.pop(); container !== undefined; container = waiting.pop()) {
				const inspection = await ask(container.id).catch(() => undefined);
				if (inspection !== undefined) {
					const own = container.mounts.flatMap(({volume = ''}) => [[volume, folders.get(volume) ?? []] as const]);
					known.set(container.id, {inspection, folders: new Map(own)});
				}
			}
		};
		await Promise.all(Array.from({length: askedAtOnce}, next));
	};

	return async containers => {
		const present = new Set(containers.map(({id}) => id));
		for (const id of known.keys()) {
			if (!present.has(id)) {
				known.delete(id);
			}
		}

		// Whom the engine does not answer for is asked again the next time.
		const unknown = containers.filter(({id}) => !known.has(id));
		if (unknown.length > 0) {
			await learn(unknown);
		}

		return containers.map(container => {
			const {inspection, folders = new Map()} = known.get(container.id) ?? {};
			if (inspection === undefined) {
				return {...container, isUnanswered: true};
			}

			const {subpaths, mayAdminister, ...rest} = inspection;
			const mounts = withFolders(withSubpaths(container.mounts, subpaths), folders);
			return {...container, ...rest, mounts: mayAdminister ? mounts.map(mount => ({...mount, isAdministered: true})) : mounts};
		});
	};
}

const withFolders = (mounts: readonly Mount[], folders: ReadonlyMap<string, readonly Folder[]>): Mount[] =>
	mounts.map(mount => {
		const {type, volume = '', subpath = ''} = mount;
		const found = type === 'volume' ? (folders.get(volume) ?? []) : [];
		return found.length === 0 ? mount : {...mount, folders: found.map(folder => ({...folder, path: inside(folder.path, subpath)}))};
	});
