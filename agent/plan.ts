/** Targets + policy → what a run will do. Pure and printable: `holdfast plan` shows it before anything is touched. */
import type {Container, Mount} from '../docker/container.ts';
import type {Hook} from '../docker/labels.ts';

export type PlannedSource = {
	/** As people write it, and unique in its target: `db/postgres:metadb`. */
	name: string;
	container: Container;
} & (
	| {kind: 'postgres'; database: string; format: 'custom' | 'plain'; user: string}
	/** `mount` holds the file; `path` is in the container. */
	| {kind: 'sqlite'; path: string; mount: Mount}
	/** `exclude`: patterns relative to the mount, the files of SQLite sources among them. */
	| {kind: 'volume'; mount: Mount; exclude: readonly string[]}
	| {kind: 'tar'; path: string}
);

/** A container that is quiesced, and how. In the order of quiescing: dependents first. */
export interface PlannedQuiesce {
	container: Container;
	action: 'pause' | 'stop';
	/** For people: `the target`, `quiesce.with`, `mounts volume data read-write`. */
	reason: string;
}

export interface PlannedHook {
	container: Container;
	hook: Hook;
	when: 'before' | 'after';
}

export interface Plan {
	target: string;
	sources: readonly PlannedSource[];
	quiesce: readonly PlannedQuiesce[];
	hooks: readonly PlannedHook[];
	/** Longest outage allowed. */
	quiesceTimeoutMs: number;
	/** Cron line and where it comes from. */
	schedule: string;
	/** What a person should know: a data directory left out because it is dumped, a replica, a pinned database that is paused. */
	notes: readonly string[];
}
