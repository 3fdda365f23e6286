/**
 * A source: one thing of a target that is backed up. Each kind is one file with one factory that closes over its
 * options and returns these verbs; `index.ts` lists them all.
 *
 * The verbs of a backup are called in this order, once each, and `close` always, after success, failure and cancel:
 *
 *     prepare → firstPass → pin → store → close
 *
 * Between `firstPass` and `store` lies the moment: `pin` runs while the target is quiesced, so it does only what cannot
 * be done later, and its time must not grow with the data.
 */
import type {Place} from '../command.ts';
import type {Tell} from '../events.ts';
import type {Restic} from '../restic/restic.ts';

export type SourceKind = 'postgres' | 'sqlite' | 'volume' | 'tar';

/** What a source works with during one run. */
export interface SourceContext {
	run: string;
	target: string;
	/** In the repository worker: the target's mounts, the secrets, the network. */
	worker: Place;
	/** restic in the repository worker, on the repository of the run. */
	restic: Restic;
	/** The folder, in each worker of the run, that all of them share. On disk; removed with the workers. */
	staging: string;
	/** The same `--time` for every snapshot of the run. */
	time: Date;
	/** Tags of a snapshot of this source: `holdfast`, run, target, source. */
	tags: (source: string) => readonly string[];
	/** Cancel and the outage limit. Every verb stops what it runs when this fires. */
	signal: AbortSignal;
	tell: Tell;
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
	readonly kind: SourceKind;
	/** As people write it: `postgres:metadb`, `db/volume:/data`. Unique in its target. */
	readonly name: string;
	/** The target runs. Opens what `pin` needs and checks what can be checked, so that `pin` cannot fail for a reason known before. */
	prepare: () => Promise<void>;
	/** The target runs. Work whose result is thrown away, and that only makes `pin` short. */
	firstPass: () => Promise<void>;
	/**
	 * The target is quiesced.
	 * @throws {PinBlockedError} when a paused writer holds a lock; the caller resumes, waits and calls `pin` again.
	 */
	pin: (signal: AbortSignal) => Promise<void>;
	/** The target runs again. Makes what was pinned into one snapshot, of content that was checked. */
	store: () => Promise<Stored>;
	/** Lets go of sessions and processes. Never throws for a thing that is gone already. */
	close: () => Promise<void>;
}
