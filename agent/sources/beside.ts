/** For the programs that put files in the place of others, in a worker: what was live stays beside what takes its place, on one file system. */
import {chmodSync, chownSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, realpathSync, statSync} from 'node:fs';
import {dirname} from 'node:path';

/** Follows the name under which nothing is kept, because there was nothing: what an undo finds in its place then must go. */
export const none = '-none';

/** Both without links. */
export const isInside = (path: string, root: string): boolean => path === root || path.startsWith(`${root === '/' ? '' : root}/`);

/** The nearest folder above that is there, without links. */
export function nearestFolder(path: string): string {
	const folder = dirname(path);
	return existsSync(folder) ? realpathSync(folder) : nearestFolder(folder);
}

/** Folders that are missing are made, owned like the one that they are in. */
export function makeFolder(folder: string): void {
	if (!existsSync(folder)) {
		const parent = dirname(folder);
		makeFolder(parent);
		const {uid, gid, mode} = statSync(parent);
		mkdirSync(folder);
		chownSync(folder, uid, gid);
		chmodSync(folder, mode & 0o7777);
	}
}

/** What was written or renamed is on disk when it returns. */
export function sync(path: string): void {
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
