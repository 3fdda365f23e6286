/** Makes the verbs of restic: each builds its call, runs it and reads what it says. */
import {text} from 'node:stream/consumers';
import type {Place} from '../../base/command.ts';
import {RepositoryError} from '../../base/errors.ts';
import {linesOf} from '../../base/lines.ts';
import {accessOf} from './access.ts';
import * as argv from './argv.ts';
import {listenForRefusals} from './attributes.ts';
import {type Call, createCaller, eachCount, eachLine} from './call.ts';
import {createComparing} from './comparing.ts';
import {deleteLeftovers} from './leftover.ts';
import {createListing} from './listing.ts';
import {createLooking} from './looking.ts';
import {configContent, keyList, listedNode, lockContent, parseEntry, statsContent, versionContent} from './messages.ts';
import {
	type BackupOptions,
	folderOf,
	type Lock,
	type Repository,
	type Restic,
	type ResticOptions,
	type RestoreOptions,
	type Saved,
} from './restic.ts';
import {summaryOf} from './summary.ts';

/** restic, run at a place on one repository. */
export function createRestic(
	place: Place,
	repository: Repository,
	{cached = true, lockPatienceSeconds = 60, withoutLock = false, answerWithinMs = 60_000, onTrouble}: ResticOptions = {},
): Restic {
	const {start, read, ask, failed} = createCaller(place, repository, {answerWithinMs, cached, onTrouble});

	/** The option stands behind the verb, where nothing can take it for an argument. Where nothing can be written, nobody removes anything either. */
	const patiently = ([verb = '', ...rest]: argv.Arguments): argv.Arguments => [
		verb,
		withoutLock || accessOf(repository) === 'read-only' ? '--no-lock' : `--retry-lock=${lockPatienceSeconds}s`,
		...rest,
	];

	const withoutLocking = ([verb = '', ...rest]: argv.Arguments): argv.Arguments => [verb, '--no-lock', ...rest];

	const putBack = async (options: RestoreOptions, hear?: Call['hear']): Promise<void> => {
		const call = {
			action: `restore of ${options.subfolder} to ${options.into}`,
			arguments: (options.unlocked ? withoutLocking : patiently)(argv.restore(options)),
			signal: options.signal,
			hear,
		};
		const summary = await summaryOf(read, call, {
			onStatus: status => options.onProgress?.({bytes: status.bytes_restored ?? 0, totalBytes: status.total_bytes}),
		});
		if (!summary) {
			throw failed(call, 'restic exited with 0 but said nothing about what it restored');
		}

		if (options.delete && !summary.total_files && !summary.files_skipped) {
			await deleteLeftovers(place, options.into, options.exclude ?? [], options.signal);
		}
	};

	/** Without what may not be set; owners are refused once more. */
	const putBackPlainly = async (options: RestoreOptions): Promise<void> => {
		const refusals = listenForRefusals();
		try {
			await putBack({...options, plain: true, byTimes: true}, refusals.hear);
		} catch (error) {
			if (refusals.only() === undefined || refusals.isOfAttributes() || options.signal?.aborted) {
				throw error;
			}
		}
	};

	const backUp = async (call: Call, onProgress: BackupOptions['onProgress']): Promise<Saved> => {
		const summary = await summaryOf(read, call, {
			onStatus: status => onProgress?.({bytes: status.bytes_done ?? 0, totalBytes: status.total_bytes}),
		});
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

	return {
		...createLooking({read, failed}, patiently),
		...createComparing({read, failed}, patiently),
		...createListing({read, failed}, {patiently, withoutLocking}),
		version: async () => versionContent.parse(JSON.parse(await ask({action: 'version', arguments: ['version']}))).version,
		id: async (signal, key) =>
			configContent.parse(JSON.parse(await ask({action: 'opening', arguments: ['cat', '--no-lock', '--', 'config'], signal, key}))).id,
		async keys(key) {
			return keyList.parse(JSON.parse(await ask({action: 'listing keys', arguments: ['key', 'list', '--no-lock'], key})));
		},
		async removeKey(id, key) {
			await ask({action: `removing key ${id}`, arguments: patiently(['key', 'remove', '--', argv.checkId(id)]), key, plain: true});
		},
		isEmpty: async key => (await ask({action: 'listing packs', arguments: ['list', '--no-lock', '--', 'packs'], key})).trim() === '',
		async init(like) {
			const arguments_ = like === undefined ? ['init'] : argv.initLike;
			await ask({action: 'making a new repository', arguments: arguments_, from: like, sole: folderOf(repository)});
		},
		backupFiles: options =>
			backUp(
				{
					action: `backup of ${options.path}`,
					arguments: patiently(argv.backupFiles(options)),
					signal: options.signal,
					hold: options.hold,
					live: options.live,
				},
				options.onProgress,
			),
		backupStream: options =>
			backUp(
				{
					action: `backup of ${options.filename}`,
					arguments: patiently(argv.backupStream(options)),
					signal: options.signal,
					hold: options.hold,
				},
				options.onProgress,
			),
		dump: (snapshot, path, signal) =>
			start({action: `reading ${path} of snapshot ${snapshot}`, arguments: patiently(argv.dump(snapshot, path)), signal}),
		peek: (snapshot, path, signal) =>
			start({action: `reading the beginning of ${path} of snapshot ${snapshot}`, arguments: argv.peek(snapshot, path), signal}),
		dumpFolder: (snapshot, folder, signal) =>
			start({action: `reading ${folder} of snapshot ${snapshot}`, arguments: patiently(argv.dumpFolder(snapshot, folder)), signal}),
		async list({snapshot, folder, only, onEntry, signal}) {
			const call = {action: `listing ${folder} of snapshot ${snapshot}`, arguments: patiently(argv.list({snapshot, folder, only})), signal};
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
			const refusals = listenForRefusals();
			try {
				await putBack(options, refusals.hear);
				return undefined;
			} catch (error) {
				const unset = refusals.only();
				if (unset === undefined || options.signal?.aborted) {
					throw error;
				}

				// All else is there by now, but for further attributes of those files.
				if (refusals.isOfAttributes()) {
					await putBackPlainly(options);
				}

				return unset;
			}
		},
		async find(snapshot, path, signal) {
			const call = {action: `looking for ${path} in snapshot ${snapshot}`, arguments: patiently(argv.find(snapshot, path)), signal};
			let found: {bytes: number; type: string} | undefined;
			await read(call, async stdout => {
				for await (const line of linesOf(stdout)) {
					const node = listedNode.parse(JSON.parse(line));
					found = node.path === path ? {bytes: node.size ?? 0, type: node.type ?? ''} : found;
				}
			});
			return found;
		},
		async copy({from, snapshots, signal, ...limits}) {
			for (const batch of argv.batches(snapshots)) {
				const copying = argv.copy({snapshots: batch, from, ...limits});
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
