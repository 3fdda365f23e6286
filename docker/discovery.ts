/** Containers and their labels → targets. Pure but for the list that it is given. */
import type {Container} from './container.ts';
import type {Policy, Problem} from './labels.ts';

/** One Compose service (or lone container) of a target. */
export interface Member {
	/** `''`, or in a group `'<service>/'`: what a source's name starts with. */
	prefix: string;
	/** The Compose service, or the container's name. */
	service: string;
	/** The one that is backed up: the lowest-numbered replica, a running one first. */
	container: Container;
	/** All replicas, `container` included. */
	replicas: readonly Container[];
	policy: Policy;
}

export interface Target {
	/** `<project>/<service>`, `<project>/<group>` or a container's name. */
	name: string;
	project?: string | undefined;
	members: readonly [Member, ...Member[]];
	/** A target with problems is listed but never run. */
	problems: readonly Problem[];
}
