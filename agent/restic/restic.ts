/** restic as typed calls: the words and the verbs, by their subject. `create.ts` gathers them from the files that make them. */
import type {Running} from '../../base/command.ts';
import type {Hold} from './hold.ts';
import type {Repository} from './repository.ts';

export interface Snapshot {
	id: string;
	time: Date;
	/** The id of its content: the same wherever this content is stored, in this repository or another. */
	tree: string;
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
	/** As stored, after compression. */
	addedBytes: number;
	files: number;
	/** How many of the files were the parent's, and not read. */
	unmodifiedFiles: number;
	/** From when it began to look at them, the repository being open, until all was stored. */
	seconds: number;
}

export interface Progress {
	bytes: number;
	totalBytes?: number | undefined;
}

/** How far a verb is that goes over all of the repository. */
export interface Count {
	done: number;
	total: number;
	/** What is counted: `packs`, `snapshots`. */
	unit: string;
}

interface UpkeepOptions {
	signal?: AbortSignal | undefined;
	onCount?: ((count: Count) => void) | undefined;
}

export interface BackupOptions {
	/** None may be empty or hold a comma. */
	tags: readonly string[];
	/** Kept to the second. */
	time: Date;
	host: string;
	signal?: AbortSignal | undefined;
	onProgress?: ((progress: Progress) => void) | undefined;
	/** Lets restic do what takes time (key, lock: 0.7 s) before it may look at the files, or start the command. */
	hold?: Hold | undefined;
}

export interface FilesOptions extends BackupOptions {
	/** An absolute path. One that is missing is an error; so is a file below it that cannot be read (restic keeps a snapshot then, which is no result). */
	path: string;
	/** Absolute paths in it: nothing else of it is looked at. They are taken although a pattern excludes them; what is in them is not. */
	only?: readonly string[] | undefined;
	/** Snapshot whose unchanged files (size, times, inode) need not be read again. Without it restic reads all. */
	parent?: string | undefined;
	/** Patterns as restic knows them, handed over in argv. `escapePattern` makes one of a path. */
	exclude?: readonly string[] | undefined;
	/** Somebody writes meanwhile: files that are gone before they are read are no error. What cannot be read for another reason is. */
	live?: boolean | undefined;
	/** No scan ahead and no progress: as short as it can be. */
	quick?: boolean | undefined;
}

export interface StreamOptions extends BackupOptions {
	/** The path that the content gets in the snapshot; absolute. */
	filename: string;
	/** What writes the content to stdout. No snapshot is made unless it exits 0. Empty content is an error. Runs where restic runs. */
	command: readonly [string, ...string[]];
}

export interface RestoreOptions {
	snapshot: string;
	/** Absolute path of a folder in the snapshot. */
	subfolder: string;
	/** Absolute path of a folder. */
	into: string;
	/** Also removes from `into` what the snapshot does not have. */
	delete: boolean;
	/** A file whose size and modification time are those of the snapshot is not read: its content counts as the same. Its mode and owner are set all the same. */
	byTimes?: boolean | undefined;
	/** Takes no lock, which takes 0.2 s: for what is done right after the same snapshot was read with one. */
	unlocked?: boolean | undefined;
	/** Reads what was written again, and compares its hashes with those of the snapshot. */
	verify?: boolean | undefined;
	/** Without the attributes that the system keeps for itself. */
	plain?: boolean | undefined;
	/** Patterns; paths count from `subfolder`. */
	exclude?: readonly string[] | undefined;
	/** Patterns; only what matches. Not together with `exclude`. */
	include?: readonly string[] | undefined;
	signal?: AbortSignal | undefined;
	onProgress?: ((progress: Progress) => void) | undefined;
}

/** Attributes that the system keeps for itself, and owners that a file system refuses. */
export interface Unset {
	/** Completes "could not be set": `security.NTACL of /a and the owner of /b`. */
	what: string;
	/** Of files. */
	count: number;
}

export interface Entry {
	/** Relative to the folder that was listed. */
	path: string;
	type: string;
	size: number;
}

export interface ListOptions {
	snapshot: string;
	/** Absolute. */
	folder: string;
	/** Absolute: folders of which only what is in them is listed, not what is below that. One that is not there is no error. Missing: all below the folder. */
	only?: readonly string[] | undefined;
	/** In the order of the tree. */
	onEntry: (entry: Entry) => void;
	signal?: AbortSignal | undefined;
}

/** Something that a snapshot holds. */
export interface Node {
	/** In the snapshot, from its root. */
	path: string;
	/** `file`, `dir`, `symlink`, … */
	type: string;
	size: number;
	/** ISO 8601; undefined where restic does not say. */
	modified: string | undefined;
}

export interface LookOptions {
	snapshot: string;
	/** Absolute. */
	path: string;
	/** Of a folder: all that is below it, not only what is in it. */
	recursive?: boolean | undefined;
	/** The path itself first; then, of a folder, what is in it, in the order of the tree. Never called: there is no such path. */
	onNode: (node: Node) => void;
	signal?: AbortSignal | undefined;
}

export interface SearchOptions {
	/** Snapshots that carry all tags of one of these lists. */
	tags: ReadonlyArray<readonly string[]>;
	/** As restic knows them: a name, or a path that begins with a slash. */
	patterns: readonly string[];
	ignoreCase?: boolean | undefined;
	/** What matches in one snapshot, a folder before what is in it: that matches with it. */
	onMatches: (snapshot: string, matches: readonly Node[]) => void;
	signal?: AbortSignal | undefined;
}

/** A folder of a snapshot; absolute. */
export interface Folder {
	snapshot: string;
	folder: string;
}

export interface CompareOptions {
	from: Folder;
	to: Folder;
	/** Under its path below the folders, with a slash in front. `+` was added, `-` removed, `M` has other content, `T` is of another type. */
	onChange: (change: {path: string; modifier: string}) => void;
	signal?: AbortSignal | undefined;
}

export interface Looking {
	look: (options: LookOptions) => Promise<void>;
	/** Over many snapshots; what they have in common is read once. */
	search: (options: SearchOptions) => Promise<void>;
	/** What differs between two folders, but for times, modes and owners. */
	compare: (options: CompareOptions) => Promise<void>;
}

export interface CopyOptions {
	/** Where the snapshots are. Its environment must fit this repository's: all but the password is one for both. */
	from: Repository;
	/** Ids there. */
	snapshots: readonly string[];
	/** KiB a second. */
	limitUpload?: number | undefined;
	limitDownload?: number | undefined;
	signal?: AbortSignal | undefined;
}

export interface Key {
	/** Its beginning. */
	id: string;
	/** The repository was opened with it just now. */
	isCurrent: boolean;
	created: Date;
}

export interface Lock {
	id: string;
	time: Date;
	exclusive: boolean;
	hostname: string;
	pid: number;
	/** Of the process's user; '' where it has no name. */
	username: string;
}

/** The repository itself. */
export interface Opening {
	version: () => Promise<string>;
	/** The repository's own id. @param key the beginning of the id of the key to open it with; the others are tried where that does not do */
	id: (signal?: AbortSignal, key?: string) => Promise<string>;
	keys: (key?: string) => Promise<Key[]>;
	/** @param by the key to open it with */
	removeKey: (id: string, by: string) => Promise<void>;
	/** Whether nothing was ever stored in it. */
	isEmpty: (key?: string) => Promise<boolean>;
	/**
	 * Makes a new repository. Only called where none was ever known. With `like`, content is cut as in that one, so that what is copied from
	 * there is found again here.
	 */
	init: (like?: Repository) => Promise<void>;
}

/** New snapshots. */
export interface Storing {
	backupFiles: (options: FilesOptions) => Promise<Saved>;
	backupStream: (options: StreamOptions) => Promise<Saved>;
}

/** Which snapshots there are. */
export interface Listing {
	/** Snapshots that carry all of the tags. */
	snapshots: (tags?: readonly string[], signal?: AbortSignal) => Promise<Snapshot[]>;
	/**
	 * A new snapshot like this one without the files that match; its id (the same one when nothing matched). It has the
	 * same tags and `rewrite`; the old one stays.
	 */
	rewriteWithout: (snapshot: string, patterns: readonly string[], signal?: AbortSignal) => Promise<string>;
}

/** What a snapshot holds. */
export interface Reading {
	/** The content of one file of a snapshot, as a stream. Its end says nothing: await `done`, which rejects for any exit code but 0. */
	dump: (snapshot: string, path: string, signal?: AbortSignal) => Promise<Running>;
	/** The same for a reader that leaves before the end: no lock is taken, because a restic that is killed would leave it. */
	peek: (snapshot: string, path: string, signal?: AbortSignal) => Promise<Running>;
	/** The content of a folder as a tar whose names are relative to it. As with `dump`, only `done` says that it is whole. */
	dumpFolder: (snapshot: string, folder: string, signal?: AbortSignal) => Promise<Running>;
	list: (options: ListOptions) => Promise<void>;
	/** Whether the snapshot has this very path, how many bytes it is (a folder: 0), and what: `dir`, `file`, `symlink`, … */
	find: (snapshot: string, path: string, signal?: AbortSignal) => Promise<{bytes: number; type: string} | undefined>;
}

/** What `restore` would do. Nothing is written. */
export interface Comparing {
	/** What `restore` would write: the bytes of all files whose content differs. Reads what is there. Nothing is written. */
	changes: (options: RestoreOptions) => Promise<{bytes: number}>;
	/**
	 * The bytes of the files that `restore` would write: `fresh` of those that are not there, in which holes stay holes; `over` of those that are, whose
	 * room restic 0.19 takes whole before it writes (fallocate), holes included. Nothing is written.
	 */
	room: (options: RestoreOptions) => Promise<{fresh: number; over: number}>;
	/** The files that are there and that `restore` would change: their paths from `into`. Nothing is written. */
	changed: (options: RestoreOptions, onFile: (path: string) => void) => Promise<void>;
	/**
	 * What `restore` would do: the entries whose content differs, and with them all that are no files; and what it would remove. Nothing is written.
	 * `removed` is undefined where restic cannot tell: 0.19 fails where a file is in the place of a folder, in a rehearsal only.
	 */
	rehearse: (options: RestoreOptions) => Promise<{entries: number; removed: number | undefined}>;
}

export interface Restoring {
	/** Writes the folder `subfolder` of a snapshot to `into`. @returns the attributes that the system keeps for itself and the owners, that were not to be set */
	restore: (options: RestoreOptions) => Promise<Unset | undefined>;
}

/** All of the repository, or many of its snapshots. */
export interface Upkeep {
	/**
	 * Copies snapshots from another repository; those that are here already are left. Each gets a new id, and keeps its tree, time, host and
	 * tags. The snapshots are saved at the end, when all their content is here. One that is not there is no error to restic: look afterwards.
	 */
	copy: (options: CopyOptions) => Promise<void>;
	/** Snapshots that are gone already are no error. Waits for other users of the repository. */
	forget: (snapshots: readonly string[], signal?: AbortSignal) => Promise<void>;
	/** Removes the data that no snapshot needs. Waits for other users of the repository, and keeps them out meanwhile. */
	prune: (options?: UpkeepOptions) => Promise<void>;
	/**
	 * Proves that all is there that the snapshots need; with `read`, also that it is what was written: `all`, or `n/N` for the n-th of N
	 * parts. Waits for other users of the repository, and keeps them out meanwhile. @throws {RepositoryError} naming what is damaged
	 */
	check: (options?: UpkeepOptions & {read?: string | undefined}) => Promise<void>;
	/** Bytes of the data that is stored, as stored. Takes long where there are many files. */
	size: (signal?: AbortSignal) => Promise<number>;
}

export interface Locks {
	locks: () => Promise<Lock[]>;
	/**
	 * Removes stale locks: older than 30 minutes without a refresh, **or of this host name and a process that is not here**. So the host
	 * name of the place where it runs must be nobody else's, or that of a worker known to be gone.
	 */
	unlock: () => Promise<void>;
}

/**
 * Every verb throws RepositoryError, whose text holds no secret, or the signal's reason. `forget` needs the repository for
 * itself; a restic that was killed leaves a lock that shuts it out (and prune), but no backup.
 */
export interface Restic extends Opening, Storing, Listing, Reading, Comparing, Restoring, Looking, Upkeep, Locks {}

export interface ResticOptions {
	/** `false`: everything is read from the repository itself, also what the cache could tell. */
	cached?: boolean;
	/** How long a verb waits for another's lock to go away; restic looks every 5 s, then less often. */
	lockPatienceSeconds?: number;
	/** For looking only: nobody is kept out, and what is seen may be half done. */
	withoutLock?: boolean;
	/** restic itself tries for 15 minutes to reach a repository; a question that is answered in a second need not wait for that. */
	answerWithinMs?: number;
	/** Hears, for people and now and then, that the storage does not answer and that restic tries again. */
	onTrouble?: ((message: string) => void) | undefined;
}
