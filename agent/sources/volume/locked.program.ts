/**
 * The program that runs in the worker, not in the agent: what there is that nobody may change, because an attribute of its file system forbids it
 * (`chattr +i`, and `+a` of a file). Nothing is written, and the mount may be read-only.
 *
 *     node locked.program.ts ROOT EXCLUDE → {"locked": […]}: some of it, from ROOT; nothing that matches EXCLUDE, a JSON list of patterns from the root
 *     any → {"error": …}
 */
import {accessSync, closeSync, constants, openSync} from 'node:fs';
import {answer} from '../beside.ts';
import {distinct, isEnd, type Place, step} from '../patterns.ts';
import {at, found, listed, placesOf} from './trees.ts';

const most = 5;

const isForbidden = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EPERM';

/** Of a file or a folder. Who may not write for want of rights gets EACCES, and of what is mounted read-only EROFS; of a device that the worker may not use also EPERM. */
function isLocked(path: Buffer): boolean {
	try {
		accessSync(path, constants.W_OK);
		return false;
	} catch (error) {
		return isForbidden(error);
	}
}

/**
 * Linux asks whether it may be read and written, and then opens it for neither (open(2), "access mode 3"): nobody who watches the file hears of a
 * writer, and a mount that is read-only is no hindrance. What may only be appended to says EPERM.
 */
const neither = constants.O_WRONLY | constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;

function isAppendOnly(path: Buffer): boolean {
	try {
		closeSync(openSync(path, neither));
		return false;
	} catch (error) {
		return isForbidden(error);
	}
}

const isLockedFile = (path: Buffer): boolean => isLocked(path) || isAppendOnly(path);

function* lockedIn(folder: Buffer, exclude: readonly Place[], above = ''): Generator<string> {
	if (isLocked(folder)) {
		yield above === '' ? '/' : above.slice(1);
	}

	for (const entry of listed(folder)) {
		const name = entry.name.toString();
		const path = at(folder, entry.name);
		const places = distinct(step(exclude, name));
		if (places.some(isEnd) || entry.isSymbolicLink()) {
			continue;
		}

		if (entry.isDirectory()) {
			yield* lockedIn(path, places, `${above}/${name}`);
		} else if (entry.isFile() && isLockedFile(path)) {
			yield `${above}/${name}`.slice(1);
		}
	}
}

const [root = '', exclude = '[]'] = process.argv.slice(2);
answer(() => {
	const locked: string[] = [];
	const top = Buffer.from(root);
	const entry = found(top);
	if (entry?.isDirectory() !== true) {
		return {locked: entry?.isFile() && isLockedFile(top) ? ['/'] : []};
	}

	for (const path of lockedIn(top, placesOf(JSON.parse(exclude) as string[]))) {
		locked.push(path);
		if (locked.length === most) {
			break;
		}
	}

	return {locked};
});
