/** A file system that makes snapshots of folders, whatever this machine's own can. */
import {readFileSync} from 'node:fs';
import {mkdir, mkdtemp, rm, truncate, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import process from 'node:process';
import {execa} from 'execa';
import {docker} from '../docker.ts';

const image = process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev';

export interface Btrfs {
	/** A folder of the host. */
	root: string;
	/** Of that path below the root. */
	makeSubvolume: (name: string) => Promise<void>;
	/** Last made, first undone: nothing uses it any more. */
	close: () => Promise<void>;
}

/** Only root with a kernel that has btrfs can. */
export const canMountBtrfs = (): boolean => process.getuid?.() === 0 && readFileSync('/proc/filesystems', 'utf8').includes('\tbtrfs\n');

/** An empty one in a file. @returns undefined where this machine cannot mount it */
export async function mountBtrfs(bytes: number): Promise<Btrfs | undefined> {
	if (!canMountBtrfs()) {
		return undefined;
	}

	const folder = await mkdtemp(join(tmpdir(), 'hf-btrfs-'));
	await writeFile(join(folder, 'disk'), '');
	await truncate(join(folder, 'disk'), bytes);
	await docker(['run', '--rm', '--volume', `${folder}:/made`, '--entrypoint', 'mkfs.btrfs', image, '--quiet', '/made/disk']);
	const root = join(folder, 'root');
	await mkdir(root);
	await execa('mount', ['-o', 'loop', join(folder, 'disk'), root]);
	return {
		root,
		async makeSubvolume(name) {
			await docker(['run', '--rm', '--volume', `${root}:/made`, '--entrypoint', 'btrfs', image, 'subvolume', 'create', `/made/${name}`]);
		},
		async close() {
			await execa('umount', [root]);
			await rm(folder, {recursive: true});
		},
	};
}
