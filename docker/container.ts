/** What the rest of Holdfast knows of a container. Made once, from the engine's list, in `agent/targets/discovery.ts`. */

export interface Mount {
	type: 'volume' | 'bind';
	/** The volume's name; none for a bind mount. */
	volume?: string | undefined;
	/** The path on the host (of a volume: its data directory). */
	hostPath: string;
	/** The path in the container. */
	path: string;
	readWrite: boolean;
}

export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

export interface Container {
	id: string;
	/** Without the leading slash. */
	name: string;
	image: string;
	imageId: string;
	state: ContainerState;
	/** Milliseconds since 1970. Its mounts are as they were then. */
	createdAt: number;
	/** The Compose project and service, where it has them and they are well-formed. */
	project?: string | undefined;
	service?: string | undefined;
	/** Compose services of the same project that must be up before this one. */
	dependsOn: readonly string[];
	labels: Readonly<Record<string, string>>;
	mounts: readonly Mount[];
}

/** Marks Holdfast's own short-lived containers, with their run. Not configurable: an agent must know another agent's workers too. */
export const workerLabel = 'holdfast.worker';
