/** Small texts of Holdfast's own that become snapshots. */
import {mkdir, open, rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {held} from '../restic/held.ts';
import type {BackupOptions, Restic, Saved} from '../restic/restic.ts';

interface TextRecord extends Pick<BackupOptions, 'tags' | 'time' | 'host' | 'signal'> {
	/** Its path in the repository. */
	filename: string;
	/** Where it is made whole, on the disk, before restic reads it. */
	folder: string;
	/** Of the file in the folder; unique. */
	name: string;
}

const fileOf = ({folder, name}: Pick<TextRecord, 'folder' | 'name'>): string => join(folder, `${name}.json`);

/** It is there whole, or not at all: restic may read it as soon as it has its name. */
async function writing<Value>(record: Pick<TextRecord, 'folder' | 'name'>, content: string, work: () => Promise<Value>): Promise<Value> {
	const file = fileOf(record);
	const draft = `${file}.draft`;
	await mkdir(record.folder, {recursive: true, mode: 0o700});
	try {
		const handle = await open(draft, 'w', 0o600);
		try {
			await handle.writeFile(content);
			await handle.sync();
		} finally {
			await handle.close();
		}

		await rename(draft, file);
		return await work();
	} finally {
		await rm(draft, {force: true});
		await rm(file, {force: true});
	}
}

const streaming = ({folder, name, ...options}: TextRecord) => ({...options, command: ['cat', '--', fileOf({folder, name})] as const});

export async function storeRecord(
	restic: Pick<Restic, 'backupStream'>,
	{content, ...record}: TextRecord & {content: string},
): Promise<Saved> {
	return writing(record, content, async () => restic.backupStream(streaming(record)));
}

/** A record whose content is still to come. */
export interface OpenRecord {
	/** Nothing is to be stored with it any more: the repository did not open, or what waited has died. */
	isOver: () => boolean;
	store: (content: string) => Promise<Saved>;
	/** Nothing is stored. Never rejects. */
	close: () => Promise<void>;
}

/** restic opens the repository meanwhile, and waits: where it is let go without a content, the agent being dead, it finds none and stores nothing. */
export function openRecord(restic: Pick<Restic, 'backupStream'>, {signal, ...record}: TextRecord & {signal: AbortSignal}): OpenRecord {
	const storing = held(async hold => restic.backupStream({...streaming(record), ...hold}), signal);
	return {
		isOver: storing.isOver,
		async store(content) {
			try {
				await storing.waiting;
				return await writing(record, content, storing.go);
			} catch (error) {
				// It may wait still: the content could not be written.
				await storing.stop(error);
				throw error;
			}
		},
		close: async () => storing.stop(new Error('nothing was to be stored')),
	};
}
