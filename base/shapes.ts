/** What the agent is asked and what it answers, as every door has it: the command line, HTTP, Slack, the metrics and the page. */

import type {Readable} from 'node:stream';
import type {Problem} from './problem.ts';
import type {Operation, Outcome, RunResult} from './results.ts';

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
	lastRun: {run: string; outcome: Outcome; startedAt: string; durationSeconds: number; quiesceSeconds: number; error?: string} | null;
	/** `bytes`: of all that its point holds. */
	lastSuccess: {run: string; at: string; bytes?: number} | null;
	/** ISO 8601; null where the target has problems. */
	nextRun: string | null;
	/** Its last good backup, the day when it was first seen, or the last time that it rested, is longer ago than its schedule allows, whatever runs now: ISO 8601. */
	late?: string;
	/** When it is stopped for its backup next, where it has a schedule for that. */
	nextColdRun?: string;
	/** It was backed up, and is not found any more; since when, ISO 8601. */
	goneSince?: string;
	/** The container of another agent, which serves it by schedule. */
	servedBy?: string;
	/** What its next point lacks, and why, because what would have to answer was stopped. */
	absent?: string;
	/** When it was due last, and only what was stopped kept it from a success: ISO 8601. It is not late before it is due again. */
	rested?: string;
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
	/** How many of its targets are late, gone, or have problems. */
	late: number;
	gone: number;
	problems: number;
	/** Bytes of the newest good points. */
	bytes: number;
	targets: StatusView[];
}

/** One row of `prune --dry-run --json`: a target, and what of it would go now. */
export interface RetentionView {
	target: string;
	/** As in the label; null: everything is kept. */
	keep: string | null;
	/** Why nothing is removed for now. */
	held: string | null;
	/** Newest first. */
	points: Array<{point: string; time: string; bytes: number; action: 'keep' | 'remove'; why: string[]}>;
}

/** A lock in the repository. */
export interface LockView {
	lock: string;
	host: string;
	pid: number;
	exclusive: boolean;
	/** ISO 8601; a live process refreshes its own every few minutes. */
	refreshedAt: string;
	ageSeconds: number;
	/** Whose it is, as far as it is known. */
	why: string;
}

/** What `unlock --json` prints. */
export interface Unlocked {
	removed: LockView[];
	left: LockView[];
	/** Why locks of the dead were left. */
	warning?: string;
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

/** Another agent, that works on the same engine or in the same repository. */
export interface OtherAgent {
	/** The name of its container; or its id, where only the repository tells of it. */
	agent: string;
	/** It works, as far as can be seen. */
	isAlive: boolean;
	finding: Finding;
}

/** That a person has the kit elsewhere. */
export interface Kept {
	/** ISO 8601. */
	at: string;
	/** Who said so: `cli`, `api`. */
	by: string;
}

/** A file that is needed beside the variables: as text, as base64 where it is none, with its size where it is too long for paper, or why it is missing. */
export type KitFile = {path: string} & ({text: string} | {base64: string} | {bytes: number} | {missing: string});

/** What `kit --json` prints. Full of secrets: it is in no event, log, metric or message. */
export interface Kit {
	host: string;
	/** The agent's id. */
	agent: string;
	version: string;
	/** ISO 8601. */
	madeAt: string;
	/** The primary one first. */
	repositories: Array<{
		name: string;
		/** Of this host, as far as it looks: a disk or a mount of a server, perhaps. */
		isFolder: boolean;
		/** What opens it, for restic and for Holdfast alike. */
		environment: Record<string, string>;
		options: Record<string, string>;
		/** Configurations, keys and certificates that these name, or that the programs look for by themselves. */
		files: KitFile[];
	}>;
	kept: Kept | null;
}

/** What the status page and the metrics show, of one look at the engine. */
export interface Overview {
	/** Null: nobody has said that what opens the repositories is kept elsewhere. */
	kitKept: Kept | null;
	targets: TargetOverview[];
	scheduled: Scheduled[];
	unprotected: Unprotected[];
	gone: GoneTarget[];
	others: OtherAgent[];
	/** How many of the others work, each counted once. */
	liveOthers: number;
}

/** One row of `points --json`, newest first. */
export interface PointView {
	/** The id of the run that published it. */
	point: string;
	target: string;
	/** The moment that it shows, ISO 8601. */
	time: string;
	/** The host's name, and the id of the agent, that filed it; null: it was filed before agents had ids. */
	host: string;
	agent: string | null;
	/** This agent's: filed by itself, or taken over. Another's is restored only when it is named. */
	own: boolean;
	/** `isDatabase`: it is one, for whoever wants the databases only. */
	sources: Array<{source: string; snapshot: string; bytes: number; isDatabase?: true}>;
	/** When a drill last restored it whole, ISO 8601; null where none did. */
	verifiedAt: string | null;
}

/** What `adopt --json` and `move --json` print: whose points are this agent's, or the target's, from now on. */
export interface Taken {
	/** Of `adopt`: the ids of the agents; null: one that had none. Of `move`: the former names. */
	from: Array<string | null>;
	targets: string[];
	points: number;
}

/** One row of `runs --json`, newest first. */
export interface RunView {
	run: string;
	target: string;
	operation: Operation;
	trigger: string;
	state: 'queued' | 'running' | 'finished';
	outcome: Outcome | null;
	startedAt: string;
	durationSeconds: number | null;
	result: RunResult | null;
}

/** One row of `doctor --json`. */
export interface Finding {
	level: 'ok' | 'warning' | 'error';
	/** What was looked at: `engine`, `repository`, a target, a volume. */
	subject: string;
	message: string;
	hint?: string;
}

export interface DrillRequest {
	target: string;
	/** A point's id or `latest`. */
	point: string;
	/** `primary`, or a copy's name; without it the primary. */
	from?: string | undefined;
	trigger: string;
}

export interface RestoreRequest {
	/** Or a project: all of its targets. */
	target: string;
	/** A point's id, `latest`, or a time; ids of a project's points are joined with commas. */
	point: string;
	/** Only these sources, or files of a volume, as people write them: `volume:/data/uploads/a.png`. Empty: all. */
	only: readonly string[];
	/** Restores the one Postgres database beside the live ones, under this name: nothing is stopped and nothing replaced. */
	into?: string | undefined;
	/** The points that were filed under this host's name, or by the agent of this id; without it, this agent's own. */
	fromHost?: string | undefined;
	/** The points of a target of another name, or of a project whose services have the same names. */
	fromTarget?: string | undefined;
	/** Restores a point of another target, too. */
	forceTarget?: boolean | undefined;
	/** What the label `drill.sql` asks is not asked: an older state may rightly say no. */
	skipDrillSql?: boolean | undefined;
	/** Somebody read what the label `restore.warning` says. Without that, a target with the label is not restored. */
	acknowledged?: boolean | undefined;
	/** `primary`, or a copy's name; without it the primary, or a copy where that is lost. */
	from?: string | undefined;
	trigger: string;
}

export interface ExportRequest {
	target: string;
	/** A point's id or `latest`. */
	point: string;
	/** One database, and one volume or none. Empty: all that the point has. */
	only: readonly string[];
}

export interface ImportRequest {
	target: string;
	/** Where it belongs, when the target has several databases or volumes. */
	only: readonly string[];
	/** What the person calls it. */
	file: string;
	/** The archive. */
	body: Readable;
	trigger: string;
}

/** Which point of a target is looked into, and where it is. */
interface Within {
	target: string;
	/** A point's id, `latest`, or a time. */
	point: string;
	/** `primary`, or a copy's name; without it the primary. */
	from?: string | undefined;
	/** The points that were filed under this host's name, or by the agent of this id; without it, this agent's own. */
	fromHost?: string | undefined;
}

export interface ListRequest extends Within {
	/** A source, or a path in the container; undefined: what the point holds. */
	path?: string | undefined;
	/** All that is below it. */
	recursive: boolean;
	/** How many entries are told at most. */
	limit: number;
}

/** Something that a point holds. */
export interface Entry {
	source: string;
	/** In the container; of a database, its source. As `dump` takes it. */
	path: string;
	/** `file`, `dir`, `symlink`, … */
	type: string;
	/** Bytes; of a source that is a tree, of all that is in it. */
	size: number;
	/** ISO 8601; null where the point does not say. */
	modified: string | null;
}

/** What `ls --json` prints. */
export interface Listing {
	target: string;
	point: string;
	/** The moment that it shows, ISO 8601. */
	time: string;
	entries: Entry[];
	/** How many more there are. */
	more: number;
}

export interface DumpRequest extends Within {
	/** A source, or a path in the container. */
	path: string;
}

export interface FindRequest {
	/** A name or a path in the container, with `*`, `?`, `[a-z]` and, for any number of folders, `**`. */
	pattern: string;
	ignoreCase: boolean;
	/** Undefined: all. */
	target?: string | undefined;
	from?: string | undefined;
	limit: number;
}

/** What one path was in some points: the same size, and the same time of its last change. */
export interface Version extends Entry {
	target: string;
	/** In how many points, and in which first and last. */
	points: number;
	oldest: {point: string; time: string};
	newest: {point: string; time: string};
}

/** What `find --json` prints: by path, the newest version first. */
export interface Found {
	found: Version[];
	/** There is more. */
	isCut: boolean;
}

export interface DiffRequest {
	/** Ids. */
	points: readonly [string, string];
	from?: string | undefined;
	/** How many entries of a source are told at most; all are counted. */
	limit: number;
}

/** What differs between two points of one source. */
export interface SourceDifference {
	source: string;
	/** Bytes; null where that point has no such source. */
	bytes: {from: number | null; to: number | null};
	added: number;
	removed: number;
	/** Their content, or what they are. */
	changed: number;
	/** The first of them. */
	entries: Array<{path: string; change: 'added' | 'removed' | 'changed'}>;
}

/** What `diff --json` prints. */
export interface Difference {
	from: {point: string; target: string; time: string};
	to: {point: string; target: string; time: string};
	sources: SourceDifference[];
}

/** What a restore does to one storage. */
export interface RestoredStorage {
	source: string;
	/** For people: `volume "data"`. */
	storage: string;
	/** Files that are written, and files and folders that are removed; null where that is not known. */
	written: number | null;
	removed: number | null;
	/** Why not. */
	unknown?: string;
	/** Who else mounts it, or something of it. */
	mountedBy: Array<{container: string; readWrite: boolean; stopped: boolean}>;
}

/** What a restore will do; printed before it asks. */
export interface RestorePlan {
	target: string;
	/** The repository that the point is read from. */
	from: string;
	/** Of a project: the first of its points. */
	point: PointView;
	/** One of each target, in the order of their dependencies. */
	points: PointView[];
	sources: string[];
	/** Of what is files: what becomes of each storage. */
	storages: RestoredStorage[];
	/** Containers that are stopped meanwhile. */
	stop: string[];
	/** Commands of the application's own: before the first is stopped, and after all are started. Their arguments may be secrets. */
	hooks: Array<{when: 'before' | 'after'; container: string; program: string}>;
	/** The new database, where nothing is replaced. */
	into: string | null;
	warnings: string[];
	/** Of the warnings, those that must be acknowledged, a line each: the text of the label `restore.warning`, and that what the target may only read is written. */
	acknowledge: string | null;
}

/** A run that was accepted. */
export interface Accepted<Result> {
	run: string;
	/** Never rejects for a failure of the run itself: that is an outcome. */
	finished: Promise<Result>;
}

/** What would protect a project: `labels --json`. */
export interface ProjectLabels {
	project: string;
	/** Those that no label speaks of, and that have something to lose. */
	services: Array<{service: string; container: string; labels: Record<string, string>; why: string[]}>;
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
}
