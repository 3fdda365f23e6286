/** What only an inspection tells of a container, and the engine's list does not. It never changes, so each container is asked once. */
import {normalize} from 'node:path/posix';
import {type Container, hostsOf, type Mount} from './container.ts';

/** Of the engine's `HostConfig`. */
export interface HostConfig {
	NetworkMode?: string | undefined;
	PidMode?: string | undefined;
	IpcMode?: string | undefined;
	ReadonlyRootfs?: boolean | undefined;
	Tmpfs?: Readonly<Record<string, string>> | null | undefined;
	/** As they were asked for. `VolumeOptions.Subpath`: engine 26 and later. */
	Mounts?: ReadonlyArray<{Type: string; Target: string; VolumeOptions?: object | undefined}> | null | undefined;
}

export interface Inspection {
	livesIn: readonly string[];
	memory: readonly string[];
	isRootReadOnly: boolean;
	/** By the path in the container. */
	subpaths: ReadonlyMap<string, string>;
}

const tidy = (path: string): string => normalize(path).replace(/(?<=.)\/$/, '');

export function readInspection(host: HostConfig): Inspection {
	const mounts = host.Mounts ?? [];
	const ofMemory = mounts.filter(({Type: type}) => type === 'tmpfs').map(({Target: target}) => target);
	return {
		livesIn: hostsOf([host.NetworkMode, host.PidMode, host.IpcMode]),
		memory: [...new Set([...Object.keys(host.Tmpfs ?? {}), ...ofMemory].map(tidy))],
		isRootReadOnly: host.ReadonlyRootfs ?? false,
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

export function createInspections(ask: (id: string) => Promise<Inspection>) {
	const known = new Map<string, Inspection>();

	/** Whom the engine does not answer for is asked again the next time. */
	const askAll = async (ids: readonly string[]): Promise<void> => {
		const present = new Set(ids);
		for (const id of known.keys()) {
			if (!present.has(id)) {
				known.delete(id);
			}
		}

		const unknown = ids.filter(id => !known.has(id));
		const next = async (): Promise<void> => {
			for (let id = unknown.pop(); id !== undefined; id = unknown.pop()) {
				const found = await ask(id).catch(() => undefined);
				if (found !== undefined) {
					known.set(id, found);
				}
			}
		};
		await Promise.all(Array.from({length: askedAtOnce}, next));
	};

	/** @param containers all of the engine */
	return async (containers: readonly Container[]): Promise<Container[]> => {
		await askAll(containers.map(({id}) => id));
		return containers.map(container => {
			const {subpaths, ...found} = known.get(container.id) ?? {};
			return subpaths === undefined
				? {...container, isUnanswered: true}
				: {...container, ...found, mounts: withSubpaths(container.mounts, subpaths)};
		});
	};
}
