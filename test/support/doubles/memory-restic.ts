/** A repository in memory, and a restic that reads and writes a disk in memory: folders that hold one word each. */
import {readFile} from 'node:fs/promises';
import {Readable, Writable} from 'node:stream';
import type {BackupOptions, Restic, Saved, Snapshot} from '../../../agent/restic/restic.ts';
import type {Running} from '../../../base/command.ts';

/** By the folder's path. */
export type Disk = Map<string, string>;

interface Kept extends Snapshot {
	content: string;
}

export interface MemoryRepository {
	restic: Restic;
	snapshots: readonly Kept[];
}

const nothing = async (): Promise<never> => {
	throw new Error('this restic cannot do that');
};

export const printed = (text: string): Running => ({
	stdin: new Writable(),
	stdout: Readable.from([Buffer.from(text)]),
	done: Promise.resolve({exitCode: 0, stderr: ''}),
	kill: async () => {},
});

/** @param others repositories that can be copied from, by their names */
export function memoryRepository(name: string, disk: Disk, others: Readonly<Record<string, MemoryRepository>> = {}): MemoryRepository {
	const snapshots: Kept[] = [];
	let count = 0;
	const keep = (content: string, path: string, {tags, time: asked, host}: BackupOptions): Saved => {
		const time = new Date(Math.floor(asked.getTime() / 1000) * 1000);
		const id = `${name}-${++count}`;
		snapshots.push({id, time, host, tags, tree: content, paths: [path], bytes: content.length, addedBytes: content.length, content});
		return {snapshot: id, bytes: content.length, addedBytes: content.length, files: 1, unmodifiedFiles: 0, seconds: 0};
	};
	const get = (id: string): Kept => {
		const found = snapshots.find(snapshot => snapshot.id === id);
		if (found === undefined) {
			throw new Error(`there is no snapshot ${id}`);
		}

		return found;
	};
	const read = (path: string): string => {
		const content = disk.get(path);
		if (content === undefined) {
			throw new Error(`there is no ${path}`);
		}

		return content;
	};

	const restic: Restic = {
		version: async () => '0.18.0',
		id: async () => name,
		keys: async () => [{id: '00000000', isCurrent: true, created: new Date(0)}],
		removeKey: nothing,
		isEmpty: async () => snapshots.length === 0,
		init: nothing,
		async backupFiles({hold, path, ...options}) {
			hold?.held();
			await hold?.go;
			options.signal?.throwIfAborted();
			return keep(read(path), path, options);
		},
		async backupStream({hold, filename, command, ...options}) {
			hold?.held();
			await hold?.go;
			options.signal?.throwIfAborted();
			return keep(await readFile(command.at(-1) ?? '', 'utf8'), filename, options);
		},
		snapshots: async (tags = []) => snapshots.filter(snapshot => tags.every(tag => snapshot.tags.includes(tag))),
		rewriteWithout: async snapshot => snapshot,
		dump: async snapshot => printed(get(snapshot).content),
		peek: async snapshot => printed(get(snapshot).content),
		dumpFolder: nothing,
		look: nothing,
		search: nothing,
		compare: nothing,
		list: async () => {},
		find: async snapshot => ({bytes: get(snapshot).bytes, type: 'dir'}),
		changes: async ({snapshot, into}) => ({bytes: get(snapshot).content === disk.get(into) ? 0 : 1}),
		room: async ({snapshot}) => ({fresh: get(snapshot).bytes, over: 0}),
		changed: async () => {},
		rehearse: async () => ({entries: 1, removed: 0}),
		async restore({snapshot, subfolder, into}) {
			const {content, paths} = get(snapshot);
			// Of the folder above, only what its entry says of this one is restored.
			if (paths.includes(subfolder)) {
				disk.set(into, content);
			}
		},
		async copy({from, snapshots: ids}) {
			for (const {content, ...snapshot} of others[from.name]?.snapshots.filter(({id}) => ids.includes(id)) ?? []) {
				if (!snapshots.some(({tree, tags}) => tree === snapshot.tree && tags.join() === snapshot.tags.join())) {
					keep(content, snapshot.paths[0] ?? '', snapshot);
				}
			}
		},
		async forget(ids) {
			snapshots.splice(0, snapshots.length, ...snapshots.filter(({id}) => !ids.includes(id)));
		},
		prune: async () => {},
		check: async () => {},
		size: async () => 0,
		locks: async () => [],
		unlock: async () => {},
	};
	return {restic, snapshots};
}
