/** Small texts of Holdfast's own that become snapshots. */
import {mkdir, open, rm} from 'node:fs/promises';
import {join} from 'node:path';
import type {BackupOptions, Restic} from '../restic/restic.ts';

interface TextRecord extends Pick<BackupOptions, 'tags' | 'time' | 'host' | 'signal'> {
	/** Its path in the repository. */
	filename: string;
	content: string;
	/** Where it is made whole, on the disk, before restic reads it. */
	folder: string;
	/** Of the file in the folder; unique. */
	name: string;
}

export async function storeRecord(restic: Pick<Restic, 'backupStream'>, {content, folder, name, ...options}: TextRecord): Promise<void> {
	const file = join(folder, `${name}.json`);
	await mkdir(folder, {recursive: true, mode: 0o700});
	const handle = await open(file, 'w', 0o600);
	try {
		await handle.writeFile(content);
		await handle.sync();
		await handle.close();
		await restic.backupStream({...options, command: ['cat', '--', file]});
	} finally {
		await rm(file, {force: true});
	}
}
