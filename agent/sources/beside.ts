/** For the programs that put files in the place of others, in a worker: what was live stays beside what takes its place, on one file system. */
import {chmodSync, chownSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, realpathSync, statSync} from 'node:fs';
import {dirname} from 'node:path';
import {refusedOwners} from '../../base/owners.ts';

/** Follows the name under which nothing is kept, because there was nothing: what an undo finds in its place then must go. */
export const none = '-none';

/** Both without links. */
export const isInside = (path: string, root: string): boolean => path === root || path.startsWith(`${root === '/' ? '' : root}/`);

/** The nearest folder above that is there, without links. */
export function nearestFolder(path: string): string {
	const folder = dirname(path);
	return existsSync(folder) ? realpathSync(folder) : nearestFolder(folder);
}

/** Where the file system refuses owners, what is made has the one that all has there. */
export function own(path: string | Buffer, {uid, gid}: {uid: number; gid: number}): void {
	try {
		chownSync(path, uid, gid);
	} catch (error) {
		if (!(error instanceof Error && 'code' in error && Object.hasOwn(refusedOwners, String(error.code)))) {
			throw error;
		}
	}
}

/** Folders that are missing are made, owned like the one that they are in. */
export function makeFolder(folder: string): void {
	if (!existsSync(folder)) {
		const parent = dirname(folder);
		makeFolder(parent);
		const there = statSync(parent);
		mkdirSync(folder);
		own(folder, there);
		chmodSync(folder, there.mode & 0o7777);
	}
}

/** What was written or renamed is on disk when it returns. */
export function sync(path: string | Buffer): void {
	const descriptor = openSync(path, 'r');
	fsyncSync(descriptor);
	closeSync(descriptor);
}

/** The answer to the agent, a line of JSON: what the verb gives, or `{"error": …}`. */
export function answer(work: () => unknown): void {
	try {
		process.stdout.write(JSON.stringify(work() ?? {}));
	} catch (error) {
		process.stdout.write(JSON.stringify({error: error instanceof Error ? error.message : String(error)}));
	}
}
