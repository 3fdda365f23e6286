/**
 * The program that runs in the worker, not in the agent: what there is that nobody may change, because an attribute of its file system forbids it
 * (`chattr +i`, `+a`). Nothing is written, and the mount may be read-only.
 *
 *     node locked.program.ts ROOT EXCLUDE → {"locked": […]}: some of it, from ROOT; nothing that matches EXCLUDE, a JSON list of patterns from the root
 *     any → {"error": …}
 */
import {execFileSync} from 'node:child_process';
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

/** Of a folder only its flags say it, which Node cannot ask for: FS_IOC_GETFLAGS, FS_APPEND_FL. Reads paths that end in NUL, and prints those. */
const appendOnly = `use Fcntl qw(O_RDONLY O_NONBLOCK O_DIRECTORY O_NOFOLLOW);
	while (<STDIN>) {
		chomp;
		sysopen(my $folder, $_, O_RDONLY | O_NONBLOCK | O_DIRECTORY | O_NOFOLLOW) or next;
		my $flags = pack('L!', 0);
		ioctl($folder, 0x80086601, $flags) && unpack('L', $flags) & 0x20 and print $_, $/;
	}`;

function appendOnlyAmong(folders: readonly Buffer[]): Buffer[] {
	const input = Buffer.concat(folders.flatMap(folder => [folder, Buffer.from([0])]));
	const printed = execFileSync('perl', ['-0', '-e', appendOnly], {input, maxBuffer: input.length + 1});
	const found: Buffer[] = [];
	for (let from = 0, end = printed.indexOf(0); end !== -1; from = end + 1, end = printed.indexOf(0, from)) {
		found.push(printed.subarray(from, end));
	}

	return found;
}

const isLockedFile = (path: Buffer): boolean => isLocked(path) || isAppendOnly(path);

/** How many folders are asked about at once. */
const asked = 10_000;

function* lockedIn(folder: Buffer, exclude: readonly Place[], folders: Buffer[], above = ''): Generator<string> {
	if (isLocked(folder)) {
		yield above === '' ? '/' : above.slice(1);
	} else if (folders.push(folder) === asked) {
		yield* appendOnlyIn(folders);
	}

	for (const entry of listed(folder)) {
		const name = entry.name.toString();
		const path = at(folder, entry.name);
		const places = distinct(step(exclude, name));
		if (places.some(isEnd) || entry.isSymbolicLink()) {
			continue;
		}

		if (entry.isDirectory()) {
			yield* lockedIn(path, places, folders, `${above}/${name}`);
		} else if (entry.isFile() && isLockedFile(path)) {
			yield `${above}/${name}`.slice(1);
		}
	}
}

const [root = '', exclude = '[]'] = process.argv.slice(2);

function* appendOnlyIn(folders: Buffer[]): Generator<string> {
	for (const folder of appendOnlyAmong(folders.splice(0))) {
		yield folder.subarray(Buffer.byteLength(root) + 1).toString() || '/';
	}
}

function* allIn(top: Buffer, places: readonly Place[]): Generator<string> {
	const folders: Buffer[] = [];
	yield* lockedIn(top, places, folders);
	yield* appendOnlyIn(folders);
}

answer(() => {
	const locked: string[] = [];
	const top = Buffer.from(root);
	const entry = found(top);
	if (entry?.isDirectory() !== true) {
		return {locked: entry?.isFile() && isLockedFile(top) ? ['/'] : []};
	}

	for (const path of allIn(top, placesOf(JSON.parse(exclude) as string[]))) {
		locked.push(path);
		if (locked.length === most) {
			break;
		}
	}

	return {locked};
});
