/** restic as typed calls: the only place that builds its argv, reads its JSON and knows its exit codes. */
import {createInterface} from 'node:readline';
import {text} from 'node:stream/consumers';
import {lastLines, type Place, type Running} from '../command.ts';
import {RepositoryError} from '../errors.ts';
import * as argv from './argv.ts';
import {type Call, createCaller, eachCount, eachLine, eachMessage} from './call.ts';
import type {Hold} from './hold.ts';
import {deleteLeftovers} from './leftover.ts';
import {configContent, listedNode, lockContent, parseEntry, type Summary, snapshotList, statsContent, versionContent} from './messages.ts';

/** Where snapshots go, and the secrets that open it. */
export interface Repository {
	/** A name for people and metrics: `primary`, or a copy's name. */
	name: string;
	/** As in `RESTIC_REPOSITORY`. May hold secrets: never printed, see `publicLocation`. */
	location: string;
	/** Everything that restic needs in its environment: `RESTIC_PASSWORD`, `AWS_…`. Never in argv. */
	env: Readonly<Record<string, string>>;
	/** Extended options of restic, as `sftp.args`; they hold no secret. */
	options?: Readonly<Record<string, string>> | undefined;
	/** In the agent and in workers alike. */
	cacheDirectory: string;
}

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

interface BackupOptions {
	/** None may be empty or hold a comma. */
	tags: readonly string[];
	/** Kept to the second. */
	time: Date;
	host: string;
	signal?: AbortSignal | undefined;
	onProgress?: ((progress: Progress) => void) | undefined;
}

export interface FilesOptions extends BackupOptions {
	/** An absolute path. One that is missing is an error; so is a file below it that cannot be read (restic keeps a snapshot then, which is no result). */
	path: string;
	/** Snapshot whose unchanged files (size, times, inode) need not be read again. Without it restic reads all. */
	parent?: string | undefined;
	/** Patterns as restic knows them, handed over in argv. `escapePattern` makes one of a path. */
	exclude?: readonly string[] | undefined;
	/** No scan ahead and no progress: as short as it can be. */
	quick?: boolean | undefined;
	/** Lets restic do what takes time (key, lock: 0.7 s) before it may look at the files. */
	hold?: Hold | undefined;
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
	/** Reads what was written again, and compares its hashes with those of the snapshot. */
	verify?: boolean | undefined;
	/** Patterns; paths count from `subfolder`. */
	exclude?: readonly string[] | undefined;
	/** Patterns; only what matches. Not together with `exclude`. */
	include?: readonly string[] | undefined;
	signal?: AbortSignal | undefined;
	onProgress?: ((progress: Progress) => void) | undefined;
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
	/** All below the folder, in the order of the tree. */
	onEntry: (entry: Entry) => void;
	signal?: AbortSignal | undefined;
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

export interface Lock {
	id: string;
	time: Date;
	exclusive: boolean;
	hostname: string;
	pid: number;
}

/**
 * Every verb throws RepositoryError, whose text holds no secret, or the signal's reason. `forget` needs the repository for
 * itself; a restic that was killed leaves a lock that shuts it out (and prune), but no backup.
 */
export interface Restic {
	version: () => Promise<string>;
	/** The repository's own id. */
	id: (signal?: AbortSignal) => Promise<string>;
	/**
	 * Makes a new repository. Only called where none was ever known. With `like`, content is cut as in that one, so that what is copied from
	 * there is found again here.
	 */
	init: (like?: Repository) => Promise<void>;
	backupFiles: (options: FilesOptions) => Promise<Saved>;
	backupStream: (options: StreamOptions) => Promise<Saved>;
	/** Snapshots that carry all of the tags. */
	snapshots: (tags?: readonly string[], signal?: AbortSignal) => Promise<Snapshot[]>;
	/**
	 * A new snapshot like this one without the files that match; its id (the same one when nothing matched). It has the
	 * same tags and `rewrite`; the old one stays.
	 */
	rewriteWithout: (snapshot: string, patterns: readonly string[], signal?: AbortSignal) => Promise<string>;
	/** The content of one file of a snapshot, as a stream. Its end says nothing: await `done`, which rejects for any exit code but 0. */
	dump: (snapshot: string, path: string, signal?: AbortSignal) => Promise<Running>;
	/** The content of a folder as a tar whose names are relative to it. As with `dump`, only `done` says that it is whole. */
	dumpFolder: (snapshot: string, folder: string, signal?: AbortSignal) => Promise<Running>;
	list: (options: ListOptions) => Promise<void>;
	/** Whether the snapshot has this very path, and how many bytes it is (a folder: 0). */
	find: (snapshot: string, path: string, signal?: AbortSignal) => Promise<{bytes: number} | undefined>;
	/** What `restore` would write: the bytes of all files whose content differs. Reads what is there. Nothing is written. */
	changes: (options: RestoreOptions) => Promise<{bytes: number}>;
	/** Writes the folder `subfolder` of a snapshot to `into`. */
	restore: (options: RestoreOptions) => Promise<void>;
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
	locks: () => Promise<Lock[]>;
	/**
	 * Removes stale locks: older than 30 minutes without a refresh, **or of this host name and a process that is not here**. So the host
	 * name of the place where it runs must be nobody else's, or that of a worker known to be gone.
	 */
	unlock: () => Promise<void>;
}

export interface ResticOptions {
	/** `false`: everything is read from the repository itself, also what the cache could tell. */
	cached?: boolean;
	/** How long a verb waits for another's lock to go away; restic looks every 5 s, then less often. */
	lockPatienceSeconds?: number;
	/** For looking only: nobody is kept out, and what is seen may be half done. */
	withoutLock?: boolean;
	/** restic itself tries for 15 minutes to reach a repository; a question that is answered in a second need not wait for that. */
	answerWithinMs?: number;
}

/** restic, run at a place on one repository. */
export function createRestic(
	place: Place,
	repository: Repository,
	{cached = true, lockPatienceSeconds = 60, withoutLock = false, answerWithinMs = 60_000}: ResticOptions = {},
): Restic {
	const {start, read, ask, failed} = createCaller(place, repository, {answerWithinMs, cached});

	/** The option stands behind the verb, where nothing can take it for an argument. */
	const patiently = ([verb = '', ...rest]: argv.Arguments): argv.Arguments => [
		verb,
		withoutLock ? '--no-lock' : `--retry-lock=${lockPatienceSeconds}s`,
		...rest,
	];

	const backUp = async (call: Call, onProgress: BackupOptions['onProgress']): Promise<Saved> => {
		let summary: Summary | undefined;
		await read(call, stdout =>
			eachMessage(stdout, message => {
				if (message.message_type === 'summary') {
					summary = message;
				} else if (message.message_type === 'status') {
					onProgress?.({bytes: message.bytes_done ?? 0, totalBytes: message.total_bytes});
				}
			}),
		);
		if (!summary?.snapshot_id) {
			throw failed(call, 'restic exited with 0 but named no snapshot');
		}

		return {
			snapshot: summary.snapshot_id,
			bytes: summary.total_bytes_processed ?? 0,
			addedBytes: summary.data_added_packed ?? summary.data_added ?? 0,
			files: summary.total_files_processed ?? 0,
			unmodifiedFiles: summary.files_unmodified ?? 0,
		};
	};

	const list = async (call: Call): Promise<Snapshot[]> => {
		const found = snapshotList.parse(JSON.parse(await read(call, text))) ?? [];
		return found.map(({id, time, tree, hostname, tags, paths, summary}) => ({
			id,
			time,
			tree,
			host: hostname,
			tags: tags ?? [],
			paths: paths ?? [],
			bytes: summary?.total_bytes_processed ?? 0,
			addedBytes: summary?.data_added_packed ?? summary?.data_added ?? 0,
		}));
	};

	/** `rewrite` has no JSON; it prints the first digits of the new id. */
	const rewrite = async (snapshot: string, patterns: readonly string[], signal?: AbortSignal): Promise<string> => {
		const call = {
			action: `rewriting snapshot ${snapshot}`,
			arguments: patiently(argv.rewrite(snapshot, patterns)),
			signal,
		};
		const printed = await read(call, text);
		const [, shortId] = /^saved new snapshot ([0-9a-f]{8,64})$/m.exec(printed) ?? [];
		if (shortId === undefined) {
			if (printed.includes(`snapshot ${snapshot.slice(0, 8)} of `) && printed.includes('no snapshots were modified')) {
				return snapshot;
			}

			throw failed(call, `restic printed neither a new snapshot nor that there is none: ${lastLines(printed)}`);
		}

		const [found, ...others] = await list({action: call.action, arguments: patiently(argv.snapshot(shortId)), signal});
		if (!found || others.length > 0) {
			throw failed(call, `the new snapshot ${shortId} is ${found ? 'ambiguous' : 'not there'}`);
		}

		return found.id;
	};

	return {
		version: async () => versionContent.parse(JSON.parse(await ask({action: 'version', arguments: ['version']}))).version,
		id: async signal =>
			configContent.parse(JSON.parse(await ask({action: 'opening', arguments: ['cat', '--no-lock', '--', 'config'], signal}))).id,
		async init(like) {
			await ask({action: 'making a new repository', arguments: like === undefined ? ['init'] : argv.initLike, from: like});
		},
		backupFiles: options =>
			backUp(
				{
					action: `backup of ${options.path}`,
					arguments: patiently(argv.backupFiles(options)),
					signal: options.signal,
					hold: options.hold,
				},
				options.onProgress,
			),
		backupStream: options =>
			backUp(
				{
					action: `backup of ${options.filename}`,
					arguments: patiently(argv.backupStream(options)),
					signal: options.signal,
				},
				options.onProgress,
			),
		snapshots: (tags = [], signal) => list({action: 'listing snapshots', arguments: patiently(argv.snapshots(tags)), signal}),
		async rewriteWithout(snapshot, patterns, signal) {
			let current = snapshot;
			for (const batch of argv.batches(patterns)) {
				current = await rewrite(current, batch, signal);
			}

			return current;
		},
		dump: (snapshot, path, signal) =>
			start({action: `reading ${path} of snapshot ${snapshot}`, arguments: argv.dump(snapshot, path), signal}),
		dumpFolder: (snapshot, folder, signal) =>
			start({action: `reading ${folder} of snapshot ${snapshot}`, arguments: argv.dumpFolder(snapshot, folder), signal}),
		async list({snapshot, folder, onEntry, signal}) {
			const call = {action: `listing ${folder} of snapshot ${snapshot}`, arguments: patiently(argv.list(snapshot, folder)), signal};
			await read(call, stdout =>
				eachLine(stdout, line => {
					const entry = parseEntry(line);
					if (entry?.path.startsWith(`${folder}/`)) {
						onEntry({...entry, path: entry.path.slice(folder.length + 1)});
					}
				}),
			);
		},
		async restore(options) {
			const call = {
				action: `restore of ${options.subfolder} to ${options.into}`,
				arguments: patiently(argv.restore(options)),
				signal: options.signal,
			};
			let summary: Summary | undefined;
			await read(call, stdout =>
				eachMessage(stdout, message => {
					if (message.message_type === 'summary') {
						summary = message;
					} else if (message.message_type === 'status') {
						options.onProgress?.({bytes: message.bytes_restored ?? 0, totalBytes: message.total_bytes});
					}
				}),
			);
			if (!summary) {
				throw failed(call, 'restic exited with 0 but said nothing about what it restored');
			}

			if (options.delete && !summary.total_files && !summary.files_skipped) {
				await deleteLeftovers(place, options.into, options.exclude ?? [], options.signal);
			}
		},
		async find(snapshot, path, signal) {
			const call = {action: `looking for ${path} in snapshot ${snapshot}`, arguments: patiently(argv.find(snapshot, path)), signal};
			let found: {bytes: number} | undefined;
			await read(call, async stdout => {
				for await (const line of createInterface({input: stdout})) {
					const node = listedNode.parse(JSON.parse(line));
					found = node.path === path ? {bytes: node.size ?? 0} : found;
				}
			});
			return found;
		},
		async changes(options) {
			const call = {
				action: `comparing ${options.into} with ${options.subfolder}`,
				arguments: patiently(argv.changes(options)),
				signal: options.signal,
			};
			let bytes: number | undefined;
			await read(call, stdout =>
				eachMessage(stdout, message => {
					if (message.message_type === 'summary') {
						bytes = message.total_bytes ?? 0;
					}
				}),
			);
			if (bytes === undefined) {
				throw failed(call, 'restic exited with 0 but said nothing about what it compared');
			}

			return {bytes};
		},
		async copy({from, snapshots, signal, ...limits}) {
			for (const batch of argv.batches(snapshots)) {
				const copying = argv.copy({snapshots: batch, ...limits});
				await read({action: 'copying snapshots', arguments: patiently(copying), from, signal}, text);
			}
		},
		async forget(snapshots, signal) {
			for (const batch of argv.batches(snapshots)) {
				await read({action: 'removing snapshots', arguments: patiently(argv.forget(batch)), signal}, text);
			}
		},
		async prune({signal, onCount = () => {}} = {}) {
			await read({action: 'pruning', arguments: patiently(argv.prune), signal, plain: true}, stdout => eachCount(stdout, onCount));
		},
		async check({read: part, signal, onCount = () => {}} = {}) {
			const call = {action: 'checking', arguments: patiently(argv.check(part)), signal, plain: true} as const;
			await read(call, stdout => eachCount(stdout, onCount));
		},
		async size(signal) {
			const call = {action: 'measuring the repository', arguments: patiently(argv.stats), signal};
			return statsContent.parse(JSON.parse(await read(call, text))).total_size;
		},
		async locks() {
			const ids = (await ask({action: 'listing locks', arguments: ['list', '--no-lock', '--', 'locks']})).split('\n').filter(Boolean);
			const locks: Lock[] = [];
			for (const id of ids) {
				const call = {action: 'reading a lock', arguments: ['cat', '--no-lock', '--', 'lock', id]};
				// It may be gone by now
				const content = await ask(call).catch(error => {
					if (error instanceof RepositoryError && error.problem === 'failed') {
						return undefined;
					}

					throw error;
				});
				if (content !== undefined) {
					locks.push({id, ...lockContent.parse(JSON.parse(content))});
				}
			}

			return locks;
		},
		async unlock() {
			await ask({action: 'removing stale locks', arguments: ['unlock']});
		},
	};
}
