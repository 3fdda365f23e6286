/** restic as typed calls: the only place that builds its argv, reads its JSON and knows its exit codes. */
import type {Running} from '../command.ts';

/** Where snapshots go, and the secrets that open it. */
export interface Repository {
	/** A name for people and metrics: `primary`, or a copy's name. */
	name: string;
	/** As in `RESTIC_REPOSITORY`. May hold secrets: never printed, see `publicLocation`. */
	location: string;
	/** Everything that restic needs in its environment: `RESTIC_PASSWORD`, `AWS_…`. Never in argv. */
	env: Readonly<Record<string, string>>;
	/** In the agent and in workers alike. */
	cacheDirectory: string;
}

export interface Snapshot {
	id: string;
	time: Date;
	host: string;
	tags: readonly string[];
	paths: readonly string[];
	/** Bytes that the snapshot holds; 0 when an old restic did not record it. */
	bytes: number;
	addedBytes: number;
}

export interface Saved {
	snapshot: string;
	bytes: number;
	addedBytes: number;
	files: number;
}

export interface Progress {
	bytes: number;
	totalBytes?: number | undefined;
}

interface BackupOptions {
	tags: readonly string[];
	time: Date;
	host: string;
	signal?: AbortSignal | undefined;
	onProgress?: ((progress: Progress) => void) | undefined;
}

export interface FilesOptions extends BackupOptions {
	/** An absolute path. One that is missing is an error; so is a file below it that cannot be read. */
	path: string;
	/** Snapshot whose unchanged files (size, times, inode) need not be read again. Without it restic reads all. */
	parent?: string | undefined;
	/** Patterns as restic knows them, handed over in argv. */
	exclude?: readonly string[] | undefined;
}

export interface StreamOptions extends BackupOptions {
	/** The path that the content gets in the snapshot; absolute. */
	filename: string;
	/** What writes the content to stdout. No snapshot is made unless it exits 0. Runs where restic runs. */
	command: readonly [string, ...string[]];
}

export interface Lock {
	id: string;
	time: Date;
	exclusive: boolean;
	hostname: string;
	pid: number;
}

export interface Restic {
	version: () => Promise<string>;
	/** The repository's own id. @throws {RepositoryError} */
	id: () => Promise<string>;
	/** Makes a new repository. Only called where none was ever known. */
	init: () => Promise<void>;
	backupFiles: (options: FilesOptions) => Promise<Saved>;
	backupStream: (options: StreamOptions) => Promise<Saved>;
	/** Snapshots that carry all of the tags. */
	snapshots: (tags?: readonly string[]) => Promise<Snapshot[]>;
	/** A new snapshot like this one without the files that match; its id (the same one when nothing matched). */
	rewriteWithout: (snapshot: string, patterns: readonly string[]) => Promise<string>;
	/** The content of one file of a snapshot, as a stream. The exit must be checked. */
	dump: (snapshot: string, path: string, signal?: AbortSignal) => Promise<Running>;
	/** Writes the folder `subfolder` of a snapshot to `into`, which must exist; `delete`: and removes what the snapshot does not have. */
	restore: (options: {snapshot: string; subfolder: string; into: string; delete: boolean; exclude?: readonly string[]; signal?: AbortSignal | undefined; onProgress?: (progress: Progress) => void}) => Promise<void>;
	forget: (snapshots: readonly string[]) => Promise<void>;
	locks: () => Promise<Lock[]>;
}
