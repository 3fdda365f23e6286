/**
 * The program that runs in the worker, not in the agent: it finds SQLite databases by what they begin with. No link is followed.
 *
 *     node find.program.ts <QUESTION   → {"found": […], "isCut": …, "unreadable": […]}
 *
 * Names that are no UTF-8 cannot be named in labels and manifests: they are unreadable.
 */
import {closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readFileSync, readSync} from 'node:fs';
import {isOfRestore} from '../kept-names.ts';
import {distinct, isEnd, type Place, partsOf, settle, step} from '../patterns.ts';

export interface Question {
	mounts: ReadonlyArray<{
		/** Where it is in the worker. */
		root: string;
		/** Where it is in the container. */
		path: string;
		/** Mounts of the container inside of it, by their paths there: they hide what is below. */
		nested: readonly string[];
	}>;
	/** Of paths in the container; null: any file. */
	patterns: readonly string[] | null;
	/** No more than that. */
	most: number;
}

export interface Found {
	/** In the container. */
	found: Array<{path: string; isDatabase: boolean}>;
	/** There is more. */
	isCut: boolean;
	/** Folders and files, in the container. */
	unreadable: string[];
}

const beginning = Buffer.from('SQLite format 3\0');

/** What SQLite keeps beside a database. */
const besides = /-(?:wal|shm|journal)$/;

export function find({mounts, patterns, most}: Question): Found {
	const all: Found = {found: [], isCut: false, unreadable: []};
	const wanted: Place[] = (patterns ?? ['/**']).flatMap(pattern => settle([partsOf(pattern), 0]));
	for (const {root, path, nested} of mounts) {
		const names = path.split('/').filter(Boolean);
		const places = names.reduce((places, name) => distinct(step(places, name)), wanted);
		const options = {nested, most, isAny: patterns === null};
		const folder = Buffer.from(root);
		if (!isFile(root)) {
			walk(all, {folder, path: path === '/' ? '' : path, places}, options);
		} else if (places.some(isEnd)) {
			take(all, {file: folder, path, isNamed: true}, options);
		}
	}

	return all;
}

const isFile = (path: string): boolean => lstatSync(path, {throwIfNoEntry: false})?.isFile() === true;

interface Standing {
	folder: Buffer;
	path: string;
	places: readonly Place[];
}

function walk(all: Found, {folder, path, places}: Standing, options: {nested: readonly string[]; most: number; isAny: boolean}): void {
	for (const entry of places.length === 0 ? [] : listed(all, folder, path)) {
		const name = entry.name.toString();
		const inside = `${path}/${name}`;
		const reached = distinct(step(places, name));
		if (all.isCut || reached.length === 0 || options.nested.includes(inside) || isOfRestore(name)) {
			continue;
		}

		const file = Buffer.concat([folder, Buffer.from('/'), entry.name]);
		if (entry.isDirectory()) {
			walk(all, {folder: file, path: inside, places: reached}, options);
		} else if (entry.isFile() && reached.some(isEnd) && !besides.test(name)) {
			take(all, {file, path: inside, isNamed: Buffer.from(name).equals(entry.name)}, options);
		}
	}
}

function listed(all: Found, folder: Buffer, path: string) {
	try {
		return readdirSync(folder, {withFileTypes: true, encoding: 'buffer'});
	} catch (error) {
		return missed(all, path, error);
	}
}

/** What has gone meanwhile was not there. */
function missed(all: Found, path: string, error: unknown): [] {
	if (!(error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))) {
		all.unreadable.push(path);
	}

	return [];
}

function take(
	all: Found,
	{file, path, isNamed}: {file: Buffer; path: string; isNamed: boolean},
	{most, isAny}: {most: number; isAny: boolean},
): void {
	try {
		const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
		try {
			const head = Buffer.alloc(beginning.length);
			const isRegular = fstatSync(descriptor).isFile();
			const read = isRegular ? readSync(descriptor, head, 0, head.length, 0) : 0;
			const isDatabase = head.equals(beginning);
			if (read === 0 || (isAny && !isDatabase)) {
				return;
			}

			if (!isNamed) {
				all.unreadable.push(path);
			} else if (all.found.length === most) {
				all.isCut = true;
			} else {
				all.found.push({path, isDatabase});
			}
		} finally {
			closeSync(descriptor);
		}
	} catch (error) {
		missed(all, path, error);
	}
}

if (process.argv[1] === import.meta.filename) {
	process.stdout.write(JSON.stringify(find(JSON.parse(readFileSync(0, 'utf8')) as Question)));
}
