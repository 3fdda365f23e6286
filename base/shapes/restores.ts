/** A restore that is asked for, and what it will do, as every door has it. */

import type {Acknowledged} from '../acknowledged.ts';
import type {PointView} from './points.ts';

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
	/** Somebody read what must be acknowledged: all of it, or the lines with these marks. What is unread keeps the restore from beginning. */
	acknowledged?: Acknowledged | undefined;
	/** `primary`, or a copy's name; without it the primary, or a copy where that is lost. */
	from?: string | undefined;
	trigger: string;
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
