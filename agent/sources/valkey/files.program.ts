/**
 * The program that runs in the worker, not in the agent: it puts what a server saved in the place of what that server has. Each verb can be done twice.
 *
 *     node files.program.ts place ROOT FOLDER               → {"folder": …}: the server's folder without links
 *     node files.program.ts make FRESH                      → {}: FRESH is a folder
 *     node files.program.ts lay FOLDER FRESH OLD JSON       → {}: FRESH has, of `download`, all that the server will load
 *     node files.program.ts swap FOLDER FRESH OLD JSON      → {}: what is in FOLDER is in OLD, and what is in FRESH is in FOLDER
 *     node files.program.ts undo FOLDER FRESH OLD JSON      → {}: what was in FOLDER is there again, and FRESH and OLD are gone
 *     node files.program.ts whole FOLDER FRESH OLD JSON     → {}: FOLDER has all of it, be it the one or the other
 *     node files.program.ts remove OLD                      → {}
 *     any → {"error": …}
 *
 * FRESH and OLD are in FOLDER, so that a rename is one step of the file system. JSON is `Laid`.
 */
import {
	chmodSync,
	copyFileSync,
	existsSync,
	linkSync,
	mkdirSync,
	readdirSync,
	realpathSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import {dirname, join} from 'node:path';
import {answer, isInside, own, sync} from '../beside.ts';

export interface Laid {
	/** Names in FOLDER. */
	files: {saved: string; appended: string; appendedFile: string};
	uid: number;
	gid: number;
	/** The server keeps an append-only file, and would load nothing else. */
	isAppending: boolean;
	/** It is one of several files in a folder (7.0 and later). */
	isMultiPart: boolean;
}

/** In OLD: all that was in FOLDER is in here. While it is there, what is in FOLDER is not what was there before. */
const moved = '.moved';

const namesOf = ({files: {saved, appended, appendedFile}}: Laid): string[] => [...new Set([saved, appended, appendedFile])];

function place(root: string, folder: string): {folder: string} {
	const real = realpathSync(folder);
	if (!isInside(real, realpathSync(root))) {
		throw new Error('is a link that leads out of its mount');
	}

	return {folder: real};
}

/** For a manifest of an append-only file. */
const quoted = (name: string): string => `"${name.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

/** What is saved can be the base of an append-only file: then a server that keeps one loads it, and nothing newer. */
function lay(folder: string, fresh: string, _old: string, laid: Laid): void {
	const {files, uid, gid, isAppending, isMultiPart} = laid;
	const saved = join(fresh, files.saved);
	if (existsSync(join(fresh, 'download'))) {
		renameSync(join(fresh, 'download'), saved);
	}

	const isThere = (name: string): boolean => existsSync(join(folder, name));
	const made = [saved];
	if (isMultiPart && (isAppending || isThere(files.appended))) {
		const appended = join(fresh, files.appended);
		const base = `${files.appendedFile}.1.base.rdb`;
		mkdirSync(appended, {recursive: true});
		// The server never writes into either: it makes another, and renames it.
		linkSync(saved, join(appended, base));
		writeFileSync(join(appended, `${files.appendedFile}.manifest`), `file ${quoted(base)} seq 1 type b\n`);
		made.push(appended, ...readdirSync(appended).map(name => join(appended, name)));
	} else if (isAppending || isThere(files.appendedFile)) {
		copyFileSync(saved, join(fresh, files.appendedFile));
		made.push(join(fresh, files.appendedFile));
	}

	for (const path of made) {
		give(path, {uid, gid});
		sync(path);
	}

	sync(fresh);
}

/** Where the file system refuses owners, what is made is as open as all is there. @throws where that is not enough for the server */
function give(path: string, server: {uid: number; gid: number}): void {
	own(path, server);
	const there = statSync(path);
	const isFolder = there.isDirectory();
	if (there.uid === server.uid) {
		chmodSync(path, isFolder ? 0o700 : 0o600);
		return;
	}

	const needed = isFolder ? 0o7 : 0o4;
	if (server.uid !== 0 && (there.mode & needed) !== needed) {
		throw new Error(
			`cannot be given to user ${server.uid}, as whom the server runs, because the file system of its folder refuses owners: mount it so that what is made there is that user's`,
		);
	}
}

function swap(folder: string, fresh: string, old: string, laid: Laid): void {
	const names = namesOf(laid);
	mkdirSync(old, {recursive: true, mode: 0o700});
	if (!existsSync(join(old, moved))) {
		for (const name of names.filter(each => existsSync(join(folder, each)))) {
			renameSync(join(folder, name), join(old, name));
		}

		writeFileSync(join(old, moved), '');
		sync(old);
		sync(folder);
	}

	for (const name of names.filter(each => existsSync(join(fresh, each)))) {
		renameSync(join(fresh, name), join(folder, name));
	}

	rmSync(fresh, {recursive: true, force: true});
	sync(folder);
}

/**
 * Only while OLD says that all was moved into it, what is in FOLDER may be removed. What is then moved back has that no more: an undo that was
 * killed in between goes on where it was.
 */
function undo(folder: string, fresh: string, old: string, laid: Laid): void {
	const names = namesOf(laid);
	if (existsSync(join(old, moved))) {
		for (const name of names) {
			rmSync(join(folder, name), {recursive: true, force: true});
		}

		rmSync(join(old, moved));
		sync(old);
	}

	for (const name of names.filter(each => existsSync(join(old, each)))) {
		// What a server has written since, which somebody started meanwhile.
		rmSync(join(folder, name), {recursive: true, force: true});
		renameSync(join(old, name), join(folder, name));
	}

	remove(fresh);
	remove(old);
	if (existsSync(folder)) {
		sync(folder);
	}
}

function whole(_folder: string, fresh: string, old: string, laid: Laid): void {
	const names = namesOf(laid);
	const isHalf = existsSync(join(old, moved))
		? names.some(name => existsSync(join(fresh, name)))
		: names.some(name => existsSync(join(old, name)));
	if (isHalf) {
		throw new Error(`is not all there: the rest is in ${old}`);
	}
}

function remove(path: string): void {
	rmSync(path, {recursive: true, force: true});
	if (existsSync(dirname(path))) {
		sync(dirname(path));
	}
}

const verbs: Readonly<Record<string, (folder: string, fresh: string, old: string, laid: Laid) => unknown>> = {
	place,
	make: folder => mkdirSync(folder, {recursive: true, mode: 0o700}),
	lay,
	swap,
	undo,
	whole,
	remove,
};

const [verb = '', first = '', second = '', third = '', json = '{}'] = process.argv.slice(2);
answer(() => {
	const said = verbs[verb]?.(first, second, third, JSON.parse(json) as Laid);
	return typeof said === 'object' ? said : undefined;
});
