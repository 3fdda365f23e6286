/**
 * A subvolume of btrfs, as its file system keeps it in the moment: the application waits for that alone, and the files are read when it runs again. The
 * snapshot lies beside no data of the application, but in the folder that a person gave the agent for it.
 *
 * btrfs writes everything back before it takes a snapshot, pages that were changed through mmap included, and inodes have the numbers and times in
 * it that they have in the live folder (Linux 6.18): what restic knows of them still holds. A subvolume in it is an empty folder there, of inode 2.
 */
import {once} from 'node:events';
import {join} from 'node:path/posix';
import {lastLines, output, printedBy, type Running, succeed} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {readMountinfo} from '../../../docker/mountinfo.ts';
import type {Restic} from '../../restic/restic.ts';
import {removal, snapshotName, snapshotsFolder} from '../snapshots.ts';
import type {SourceContext} from '../source.ts';

/** The number of the root of every subvolume, and that of what stands in a snapshot for one that was in it. */
const rootInode = '256';
const stubInode = '2';

/** Everything is written back before it says so: in the moment only what was changed since must be. */
const waiting = 'sync -f "$1" && echo ready && read -r _ && exec btrfs --quiet subvolume snapshot "$1" "$2"';

/** In the worker that is shown the snapshot in the place of the live files. */
export interface Opened {
	worker: SourceContext['worker'];
	restic: Restic;
}

export interface FolderSnapshot {
	/** The application runs. Again before each further try of the moment. */
	arm: () => Promise<void>;
	/** The application is quiesced. */
	take: (moment: AbortSignal) => Promise<void>;
	/** It runs again. @throws {RunError} where the snapshot is not all of the folder */
	open: () => Promise<Opened>;
	close: () => Promise<void>;
}

type Context = Pick<SourceContext, 'worker' | 'signal' | 'agent' | 'run' | 'snapshots'>;

/** Why there can be none of this folder. Undefined: there can be one. */
export async function whyNoSnapshot({worker, signal}: Pick<Context, 'worker' | 'signal'>, path: string): Promise<string | undefined> {
	const mounted = readMountinfo(await succeed(worker, {argv: ['cat', '/proc/self/mountinfo'], signal}));
	const [own, folder] = [path, snapshotsFolder].map(place => mounted.findLast(mount => mount.path === place));
	const type = own?.system.split(' ')[0] ?? 'unknown';
	if (type !== 'btrfs') {
		return `its file system is ${type}, and only btrfs can`;
	}

	if (folder === undefined || folder.device !== own?.device) {
		return `no folder of its file system is mounted at ${snapshotsFolder} in Holdfast's container`;
	}

	if ((await succeed(worker, {argv: ['stat', '--format=%i', '--', path], signal})).trim() !== rootInode) {
		return 'it is a folder, and only a subvolume can';
	}

	const inner = await firstOf({worker, signal}, path, rootInode);
	if (inner !== undefined) {
		return `a subvolume is in it, at ${inner}, and would be empty`;
	}

	// Of a folder that is a snapshot itself: it could not be told from one that is made from now on.
	const stub = await firstOf({worker, signal}, path, stubInode);
	return stub === undefined ? undefined : `what stands for a subvolume that was there once is in it, at ${stub} (rmdir removes it)`;
}

/** @param index of the source in its run */
export function folderSnapshot(
	path: string,
	context: Context & {snapshots: NonNullable<Context['snapshots']>},
	index: number,
): FolderSnapshot {
	const {worker, signal, snapshots} = context;
	const name = snapshotName({...context, index});
	const place = join(snapshotsFolder, name);
	let armed: Running | undefined;

	const remove = async () => {
		await succeed(worker, {argv: ['sh', '-c', removal, place]});
	};

	return {
		async arm() {
			await armed?.kill();
			await remove();
			armed = await worker({argv: ['sh', '-c', waiting, 'sh', path, place], stdin: true, signal});
			armed.done.catch(() => {});
			await Promise.race([once(armed.stdout, 'data'), armed.done]);
		},
		async take(moment) {
			if (armed === undefined) {
				throw new Error('take before arm');
			}

			const {stdin, done, kill} = armed;
			const stop = () => void kill();
			moment.addEventListener('abort', stop, {once: true});
			moment.throwIfAborted();
			stdin.end('go\n');
			const [said, {exitCode, stderr}] = await Promise.all([printedBy(armed), done]);
			moment.removeEventListener('abort', stop);
			moment.throwIfAborted();
			if (exitCode !== 0) {
				throw new RunError(`no snapshot of \`${path}\` can be made: ${lastLines(stderr || said)}`);
			}
		},
		async open() {
			const opened = await snapshots.open(name, path);
			const stub = await firstOf({worker: opened.worker, signal}, path, stubInode);
			if (stub !== undefined) {
				throw new RunError(`a subvolume was made at ${stub} of \`${path}\` while it was backed up: what is in it is not in the snapshot`, {
					hint: 'back up once more',
				});
			}

			return opened;
		},
		async close() {
			await armed?.kill();
			await remove();
		},
	};
}

/** The first folder in it of that inode, from its root. */
async function firstOf({worker, signal}: Pick<Context, 'worker' | 'signal'>, path: string, inode: string): Promise<string | undefined> {
	const argv = ['find', path, '-mindepth', '1', '-type', 'd', '-inum', inode, '-printf', '%P', '-quit'] as const;
	const {exitCode, stdout, stderr} = await output(worker, {argv, signal});
	if (exitCode !== 0 && !/No such file/.test(stderr)) {
		throw new RunError(`\`${path}\` cannot be searched for subvolumes: ${lastLines(stderr)}`);
	}

	return stdout === '' ? undefined : stdout;
}
