/** What is told of targets, of what is not protected, and of other agents, as every door has it. */

import type {Problem} from '../problem.ts';
import type {Operation, Outcome} from '../results.ts';
import type {Kept} from './kit.ts';

/** One row of `targets --json`. */
export interface TargetView {
	target: string;
	/** Names of its containers, joined with a comma. */
	container: string;
	/** The engine's word, of the first container. */
	state: string;
	sources: string[];
	quiesce: 'none' | 'pause' | 'stop';
	schedule: string;
	/** The container of another agent of the engine, which serves it by schedule. */
	servedBy?: string;
	problems: Problem[];
}

/** A target that is not run, and why. */
export interface NoPlan {
	target: string;
	error: string;
}

/** One row of `status --json`. */
export interface StatusView {
	target: string;
	/** The run under way, if any. */
	running: string | null;
	/** For whom that run waits, where it does: another has in hand what it would touch. */
	waitsFor?: string;
	/** `rested`: only what was stopped kept it from a success. */
	lastRun: {
		run: string;
		outcome: Outcome;
		startedAt: string;
		durationSeconds: number;
		quiesceSeconds: number;
		rested?: true;
		error?: string;
	} | null;
	/** `bytes`: of all that its point holds. */
	lastSuccess: {run: string; at: string; bytes?: number} | null;
	/** Where there is no such run: the newest of its points, which were taken over of another agent, or had another name. */
	newestPoint?: {point: string; at: string; adopted: boolean};
	/** ISO 8601; null where the target has problems. */
	nextRun: string | null;
	/** Its last good backup, the day when it was first seen, or the last time that it rested, is longer ago than its schedule allows, whatever runs now: ISO 8601. */
	late?: string;
	/** When it is stopped for its backup next, where it has a schedule for that. */
	nextColdRun?: string;
	/** It was backed up, and is not found any more; since when, ISO 8601. */
	goneSince?: string;
	/** It is on another node of Swarm since, and the agent there files it; or it is here by another name. */
	movedTo?: MovedTo;
	/** The container of another agent, which serves it by schedule. */
	servedBy?: string;
	/** What its next point lacks, and why, because what would have to answer was stopped. */
	absent?: string;
	/** When it was due last, and only what was stopped kept it from a success: ISO 8601. It is not late before it is due again. */
	rested?: string;
	/** Names under which its points were filed before: `holdfast move`. */
	formerNames?: string[];
	/** Why none of its points is removed until a person has looked: it is much smaller than before. */
	suspicion?: string;
	lastDrill: {run: string; outcome: Outcome; point: string; startedAt: string; durationSeconds: number; error?: string} | null;
	/** The last time that a point was restored into scratch and stood every check. */
	lastDrillSuccess: {run: string; point: string; at: string} | null;
	nextDrill: string | null;
	problems: Problem[];
}

/** One row of `fleet status --json`: an agent, and what it says of its targets. */
export interface HostView {
	host: string;
	url: string;
	/** Why it did not say. */
	error?: string;
	version?: string;
	/** The agent's id. */
	agent?: string;
	/** Where its clock is not that of who asks: negative where it is behind. */
	clockAheadSeconds?: number;
	/** How many of its targets are late, gone, or have problems. */
	late: number;
	gone: number;
	problems: number;
	/** Bytes of the newest good points. */
	bytes: number;
	targets: StatusView[];
}

/** What comes again by itself. */
export interface Scheduled {
	operation: Operation;
	/** A target, or `repository:<name>`. */
	target: string;
	/** ISO 8601. */
	nextRun: string | null;
	/** The longest time between two due times. */
	expectedIntervalSeconds: number;
	/** Milliseconds since 1970: from then on it is due. */
	since: number;
}

/** A target, and all that is known of it without looking into the repository. */
export interface TargetOverview {
	view: TargetView;
	status: StatusView;
	/** The longest outage that it allows. */
	quiesceLimitSeconds: number;
	/** Milliseconds since 1970. */
	firstSeen: number;
}

/** A target that was backed up, and is not found any more. */
export interface GoneTarget {
	target: string;
	/** When it was missed first, ISO 8601. */
	since: string;
	message: string;
	hint: string;
}

export interface MovedTo {
	host: string;
	/** The agent's id. */
	agent: string;
	/** Of its newest point there, ISO 8601. */
	at: string;
	/** It is here, by another name: that of a target. */
	as?: string | undefined;
}

/** A target that was backed up here, and is on another node of Swarm since, or has another name. */
export interface MovedTarget extends MovedTo {
	target: string;
	message: string;
}

/** Another agent, that works on the same engine or in the same repository. */
export interface OtherAgent {
	/** The name of its container; or its id, where only the repository tells of it. */
	agent: string;
	/** It works, as far as can be seen. */
	isAlive: boolean;
	finding: Finding;
}

/** What the status page and the metrics show, of one look at the engine. */
export interface Overview {
	/** Null: nobody has said that what opens the repositories is kept elsewhere. */
	kitKept: Kept | null;
	targets: TargetOverview[];
	scheduled: Scheduled[];
	unprotected: Unprotected[];
	gone: GoneTarget[];
	moved: MovedTarget[];
	others: OtherAgent[];
	/** Whose points this agent took over (an agent's id, or a host's name), and what was filed until when, ISO 8601: `holdfast adopt`. */
	adopted: Array<{from: string; until: string}>;
	/** How many of the others work, each counted once. */
	liveOthers: number;
}

/** One row of `doctor --json`. */
export interface Finding {
	level: 'ok' | 'warning' | 'error';
	/** What was looked at: `engine`, `repository`, a target, a volume. */
	subject: string;
	message: string;
	hint?: string;
}

/** What would protect a project: `labels --json`. */
export interface ProjectLabels {
	project: string;
	/** Those that no label speaks of, and that have something to lose. */
	services: Array<{service: string; container: string; labels: Record<string, string>; why: string[]}>;
	/** For the agent itself, where another program's settings were translated. */
	variables?: Array<{variable: string; value: string; because: string}>;
	/** What has no counterpart, for people. */
	lost?: string[];
}

export interface Unprotected {
	/** A container that writes there. */
	container: string;
	/** For people: `volume "data"`. */
	storage: string;
	/** In the container. */
	path: string;
	/** The container looks like a server that Holdfast can dump: how that is known, and the labels that ask for it, without the prefix. */
	server?: {title: string; by: string; labels: Readonly<Record<string, string>>} | undefined;
	/** The target that the container belongs to, which leaves this out. */
	target?: string | undefined;
	/** The replica that is backed up of the service: the container is another one. */
	instead?: string | undefined;
}
