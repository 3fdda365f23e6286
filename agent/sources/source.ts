/**
 * A source: one thing of a target that is backed up. Each kind has one factory that closes over its options and returns these verbs.
 *
 * The verbs of a backup are called in this order, and `close` always, after success, failure and cancel:
 *
 *     prepare → firstPass → arm → pin → store → close
 *
 * Between `arm` and `store` lies the moment: `pin` runs while the target is quiesced, so it does only what cannot
 * be done later, and its time must not grow with the data.
 */

import type {Place} from '../../base/command.ts';
import type {Tell} from '../../base/events.ts';
import type {Container, Mount} from '../../docker/container.ts';
import type {Engine} from '../../docker/engine.ts';
import type {Worker} from '../../docker/worker.ts';
import type {Restic} from '../restic/restic.ts';
import type {Pace} from './pace.ts';
import type {Snapshots} from './snapshots.ts';
import type {StagingRoom} from './staging-room.ts';

/** What `store` costs of so little is the start of programs: it is stored beside others. More goes one after the other, and has the machine for itself. */
export const littleBytes = 64 * 1024 ** 2;

/** A source as a plan has it. Each kind adds what it must know. */
export interface PlannedSource {
	/** As people write it, and unique in its target: `db/postgres:metadb`. */
	readonly name: string;
	readonly kind: string;
	readonly container: Container;
	/** Where its files lie, if it is files in a mount. */
	readonly mount?: Mount | undefined;
}

/** Where a source stands among all those of its run. */
export interface Among<Planned = PlannedSource> {
	index: number;
	all: readonly Planned[];
}

/** What a source works with during one run. */
export interface SourceContext {
	run: string;
	target: string;
	engine: Engine;
	/** In the repository worker: the target's mounts, the secrets, the network. */
	worker: Place;
	/** The dump worker beside a container; made on first use. Rejects where this engine does not allow it. */
	dumpWorker: (containerId: string) => Promise<Worker>;
	/** The worker for client programs of servers that are no container here; made on first use. */
	clientWorker: () => Promise<Worker>;
	/** restic in the repository worker, on the repository of the run. */
	restic: Restic;
	/** The folder that all workers of the run share. On disk; removed with the workers. */
	staging: string;
	/** What every snapshot of the run has in common. `--time` is that of the moment. */
	host: string;
	agent: string;
	time: () => Date;
	/** The newest published snapshot of a source, from which unchanged files need not be read again. */
	previous: (source: string) => PreviousSnapshot | undefined;
	/** Nothing is removed from the repository again: a pass more is a snapshot more, for ever. */
	keepsAll?: boolean;
	/** Of the repository, where that is a folder. Missing like `outage`. */
	pace?: Pace | undefined;
	/** Remembers of a source's snapshot how new a file is that may have changed while it was read; null: none did. Missing like `outage`. */
	rememberNewest?: (source: string, snapshot: string, newest: Date | null) => void;
	/** Missing where there is no moment: in all but backups. */
	outage?: Outage;
	/** What is so every night, until a person changes something: told when it is new. All of a source at once; none: it is over. Missing like `outage`. */
	warnOnce?: (source: string, messages: readonly string[]) => void;
	/** Missing like `outage`, and where no target asks for it. */
	snapshots?: Snapshots | undefined;
	/** For what is laid aside in the staging folder; missing like `outage`. */
	room?: StagingRoom;
	/** The first tag of every snapshot, where it is not `holdfast`. */
	tag?: string;
	signal: AbortSignal;
	tell: Tell;
}

/** What a source must know of the moment, and the moment of it. */
export interface Outage {
	/** Files are taken in it, or somebody stands still for it: what a server dumps is of the same moment. Else its databases need not be of one. */
	isMoment: boolean;
	/** Somebody is stopped for it, and not only paused: locks are let go of then. */
	stops: boolean;
	/** Hooks do something to the application before it, and undo it after it. */
	isHooked: boolean;
	/** Longest outage allowed. */
	limitMs: number;
	/** While the target was not quiesced, or was: its application could not write for so long, because of a source. */
	onHeld: (heldMs: number) => void;
}

export interface PreviousSnapshot {
	snapshot: string;
	bytes: number;
	runStartedAt: Date;
	runEndedAt: Date;
	/** How new a file is that changed after the run's start and may have been read; null: none did; undefined: nobody knows. */
	newest?: Date | null | undefined;
	/** No backup of the target has failed since. */
	isLatest: boolean;
}

export interface Stored {
	snapshot: string;
	/** Bytes that the snapshot holds. */
	bytes: number;
	/** Bytes that it added to the repository. */
	addedBytes: number;
	/** What a restore must know: versions, sizes, owners, encodings. Goes into the manifest as it is. */
	details: Record<string, unknown>;
}

export interface Source {
	/** As people write it: `postgres:metadb`, `db/volume:/data`. Unique in its target. */
	readonly name: string;
	/** `true`: it is pinned before its own container is quiesced, because a quiesced one cannot answer. */
	readonly pinNeedsItsContainer: boolean;
	/** `true`: `pin` already stores. It comes after those that may be refused: a try that is given up must not have stored anything. */
	readonly pinStores: boolean;
	/** The target runs. Opens what `pin` needs and checks what can be checked, so that `pin` cannot fail for a reason known before. */
	prepare: () => Promise<void>;
	/** The target runs. Work whose result is thrown away, and that only makes `pin` short. */
	firstPass: () => Promise<void>;
	/** The target runs, and the moment is next: starts what takes time to start. Again before each further try of the moment. */
	arm: () => Promise<void>;
	/**
	 * The target is quiesced.
	 * @throws {PinBlockedError} when a paused writer holds a lock; the caller resumes, waits and calls `pin` again.
	 */
	pin: (signal: AbortSignal) => Promise<void>;
	/** The target runs again. Makes what was pinned into one snapshot, of content that was checked. */
	store: () => Promise<Stored>;
	/** About what `store` will read, where that is known then and it may be read beside other sources. */
	expectedBytes?: () => number | undefined;
	/** Lets go of sessions and processes. Never throws for a thing that is gone already. */
	close: () => Promise<void>;
}
