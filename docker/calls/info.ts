/** What the engine says of itself. */
import {explainShut} from '../shut.ts';
import {type Client, limited, parseAddress} from './client.ts';

export interface EngineInfo {
	name: string;
	version: string;
	/** It is Podman, which counts its own versions. */
	isPodman?: boolean;
	/** Of a Swarm, and may be asked for its services. */
	isManager?: boolean;
	/** Its containers' root is not the host's. */
	confined?: 'rootless' | 'userns-remap' | undefined;
	/** Ids of the nodes of its Swarm that manage it, which every node knows. */
	managers?: readonly string[];
	/** The folder where it keeps what it has. */
	dataRoot: string;
	/** Its clock, in milliseconds since 1970; NaN when it does not say. */
	time: number;
}

export interface About {
	/** @throws {RunError} where the socket is there and may not be used */
	info: () => Promise<EngineInfo>;
}

interface Told {
	Name: string;
	ServerVersion: string;
	BuildahVersion?: string;
	SecurityOptions?: string[] | null;
	Swarm?: {ControlAvailable?: boolean; RemoteManagers?: Array<{NodeID?: string}> | null};
	DockerRootDir: string;
	SystemTime: string;
}

export const about = ({docker, address}: Client): About => ({
	async info() {
		const info = await (docker as unknown as {info: (options: object) => Promise<Told>}).info(limited()).catch((error: unknown) => {
			throw explainShut(error, parseAddress(address).socketPath);
		});
		return {
			name: info.Name,
			version: info.ServerVersion,
			isPodman: info.BuildahVersion !== undefined,
			isManager: info.Swarm?.ControlAvailable === true,
			confined: confinementOf(info.SecurityOptions ?? []),
			managers: (info.Swarm?.RemoteManagers ?? []).flatMap(({NodeID: id}) => id ?? []),
			dataRoot: info.DockerRootDir,
			time: Date.parse(info.SystemTime),
		};
	},
});

/** Each is a list of its own: `name=seccomp,profile=default`. */
function confinementOf(options: readonly string[]): 'rootless' | 'userns-remap' | undefined {
	const has = (name: string) => options.some(option => option.split(',').includes(`name=${name}`));
	return has('rootless') ? 'rootless' : has('userns') ? 'userns-remap' : undefined;
}
