/** Entries of trees of files, by paths as bytes: found by patterns, and moved from one tree to the same place in another. For programs that run in a worker. */
import {execFileSync} from 'node:child_process';
import {type BigIntStats, chmodSync, lstatSync, mkdirSync, readdirSync, renameSync, utimesSync} from 'node:fs';
import {own, sync} from '../beside.ts';
import {isOfRestore} from '../kept-names.ts';
import {distinct, isEnd, type Place, partsOf, settle, step} from '../patterns.ts';

const slash = Buffer.from('/');

export const at = (folder: Buffer, name: Buffer): Buffer => Buffer.concat([folder, slash, name]);

export const found = (path: Buffer | string): BigIntStats | undefined => lstatSync(path, {throwIfNoEntry: false, bigint: true});

export const isFolder = (path: Buffer | string): boolean => found(path)?.isDirectory() === true;

export const namesIn = (folder: Buffer | string): Buffer[] => readdirSync(folder, {encoding: 'buffer'});

/** What is there at a path as it is shown: bytes that are not UTF-8 are shown as U+FFFD, and then all that are shown as that are meant. Nothing behind a link is. */
export function* meant(folder: Buffer, [name = '', ...more]: readonly string[]): Generator<Buffer> {
	if (name === '..') {
		return;
	}

	const names = name.includes('\uFFFD') ? namesIn(folder).filter(each => each.toString() === name) : [Buffer.from(name)];
	for (const path of names.map(each => at(folder, each))) {
		if (more.length === 0) {
			yield path;
		} else if (isFolder(path)) {
			yield* meant(path, more);
		}
	}
}

/** From the top of a tree, as its parts. */
type Path = readonly Buffer[];

export const joined = (root: Buffer, path: Path): Buffer => path.reduce(at, root);

export const shown = (path: Path): string => path.map(part => part.toString()).join('/');

/** An application that runs may remove what was just seen. What lies deeper than a path can say (4,096 bytes) nobody finds: it is moved with what holds it. */
const nothing = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'];

export function listed(folder: Buffer) {
	try {
		return readdirSync(folder, {withFileTypes: true, encoding: 'buffer'});
	} catch (error) {
		if (error instanceof Error && 'code' in error && nothing.includes(String(error.code))) {
			return [];
		}

		throw error;
	}
}

/** The topmost of all that match. @param isWanted whatever the places, by its name */
export function matching(
	root: Buffer,
	places: readonly Place[],
	isWanted: (name: string) => boolean = () => false,
	above: Path = [],
): Path[] {
	const paths: Path[] = [];
	for (const entry of listed(joined(root, above))) {
		const name = entry.name.toString();
		const reached = distinct(step(places, name));
		const path = [...above, entry.name];
		if (isWanted(name) || reached.some(isEnd)) {
			paths.push(path);
		} else if (entry.isDirectory() && reached.length > 0 && !isOfRestore(name)) {
			for (const deeper of matching(root, reached, isWanted, path)) {
				paths.push(deeper);
			}
		}
	}

	return paths;
}

/** Of patterns from the root. */
export const placesOf = (patterns: readonly string[]): Place[] => patterns.flatMap(pattern => settle([partsOf(pattern), 0]));

/** What is of restores, wherever it is in the tree. */
export const keptIn = (root: Buffer): Path[] => matching(root, placesOf(['/**/']), isOfRestore);

/** Moves them from one tree to the same place in another, where there is room. @returns those that were left, because something else is there */
export function move(paths: readonly Path[], from: Buffer, to: Buffer): string[] {
	return paths.flatMap(path => (moveOne(path, from, to) ? [] : [shown(path)]));
}

function moveOne(path: Path, from: Buffer, to: Buffer): boolean {
	const above = path.slice(0, -1);
	const target = joined(to, path);
	if (!makeFolders(above, from, to) || found(target) !== undefined) {
		return false;
	}

	keepingTimes(joined(to, above), () => renameSync(joined(from, path), target));
	return true;
}

/** Owned as they are there. No link is followed. */
function makeFolders(path: Path, from: Buffer, to: Buffer): boolean {
	for (const [index] of path.entries()) {
		const parts = path.slice(0, index + 1);
		const folder = joined(to, parts);
		const there = found(folder);
		if (there === undefined) {
			const original = lstatSync(joined(from, parts));
			mkdirSync(folder);
			own(folder, original);
			chmodSync(folder, original.mode & 0o7777);
			utimesSync(folder, original.atimeMs / 1000, original.mtimeMs / 1000);
		} else if (!there.isDirectory()) {
			return false;
		}
	}

	return true;
}

/** Of a folder in which something changes that is none of its own. */
function keepingTimes(folder: Buffer | string, change: () => void): void {
	const {atimeMs, mtimeMs} = lstatSync(folder);
	change();
	utimesSync(folder, atimeMs / 1000, mtimeMs / 1000);
}

/** A name that is free in there. */
export function free(folder: Buffer, name: Buffer): Buffer {
	let path = at(folder, name);
	for (let count = 1; found(path) !== undefined; count++) {
		path = at(folder, Buffer.concat([name, Buffer.from(`~${count}`)]));
	}

	return path;
}

const tar = (argv: readonly string[], input: Buffer | string = ''): void => {
	execFileSync('tar', ['--format=posix', '--xattrs', '--xattrs-include=*', '--acls', '--numeric-owner', ...argv], {
		input,
		stdio: ['pipe', 'ignore', 'pipe'],
	});
};

/** Of a file that is written, and then has its name at once. */
export const unfinished = (file: string): string => `${file}.new`;

/** The owner, mode, times and attributes of the folder itself. */
export function keepAttributes(folder: string, file: string): void {
	tar(['--no-recursion', '-C', folder, '-cf', unfinished(file), '.']);
	sync(unfinished(file));
	renameSync(unfinished(file), file);
}

/** Without the owner, where the file system refuses owners: tar gives all else all the same. */
export function giveAttributes(folder: string, kept: Buffer): void {
	try {
		tar(['-C', folder, '--same-owner', '-xpf', '-'], kept);
	} catch (error) {
		const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split('\n') : [''];
		if (!said.every(line => /Cannot change ownership|Exiting with failure status/.test(line))) {
			throw error;
		}
	}
}
