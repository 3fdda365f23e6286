/** The words of targets. */
import type {Problem} from '../../base/problem.ts';
import type {Container} from '../../docker/container.ts';
import type {Asked, Kind} from '../sources/kind.ts';
import type {Policy} from './labels.ts';

/** One Compose service (or lone container) of a target. */
export interface Member {
	/** `''`, or in a group `'<service>/'`: what a source's name starts with. */
	prefix: string;
	/** The Compose service, or the container's name. */
	service: string;
	/** The one that is backed up: the lowest-numbered replica, a running one first. */
	container: Container;
	/** All replicas, `container` included and first. */
	replicas: readonly [Container, ...Container[]];
	policy: Policy;
	/** What was made of labels of another program: for people. */
	translated?: readonly string[];
	/** Nobody labelled it: why it is protected all the same. */
	suggestion?: readonly string[];
}

export interface Target {
	/** `<project>/<service>`, `<project>/<group>` or a container's name. */
	name: string;
	project?: string | undefined;
	/** Sorted by service. */
	members: readonly [Member, ...Member[]];
	/** What holds for all members, from whichever gives it. */
	policy: TargetPolicy;
	/** A target with problems is listed but never run. */
	problems: readonly Problem[];
}

/** Given on any member of a group, and then for all of it. */
export const shared = {
	schedule: 'schedule',
	scheduleCold: 'schedule.cold',
	keep: 'keep',
	copies: 'copies',
	ping: 'ping',
	quiesceTimeoutMs: 'quiesce.timeout',
	drill: 'drill',
	restoreWarning: 'restore.warning',
} as const satisfies Partial<Record<keyof Policy, string>>;

/** What holds for a target as a whole. Absent means: the default. */
export type TargetPolicy = Pick<Policy, keyof typeof shared>;

/** What a kind of source needs to know of a service. */
export const askedOf = ({container, policy}: Member, {kind}: Pick<Kind, 'kind'>): Asked => ({container, policy: policy.sources[kind]});

/** Whom a message is about. */
export const subjectOf = ({project}: Target, {service}: Pick<Member, 'service'>): string =>
	project === undefined ? service : `${project}/${service}`;
