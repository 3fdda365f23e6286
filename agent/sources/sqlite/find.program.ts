/**
 * The program that runs in the worker, not in the agent: it finds SQLite databases by what they begin with. No link is followed.
 *
 *     node find.program.ts <QUESTION   → {"found": […], "isCut": …, "unreadable": […]}
 *
 * Names that are no UTF-8 cannot be named in labels and manifests: they are unreadable.
 */
import {closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, readSync} from 'node:fs';

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

type Token = 'any' | 'star' | {text: string} | {isNot: boolean; within: string};

/** One part of a path; `**` is null. */
type Part = readonly Token[] | null;

const tokenOf = /\\(.)|\[([!^]?)([^\]]+)\]|(\*+)|(\?)|(.)/gsu;

/** As `gitignore` and shells have it. A leading dot is a character like any other: databases may be hidden. */
export const partsOf = (pattern: string): Part[] =>
	pattern
		.split('/')
		.slice(1)
		.map(part =>
			part === '**'
				? null
				: [...part.matchAll(tokenOf)].map(([, escaped, not, within, star, any, text]): Token => {
						if (within !== undefined) {
							return {isNot: not !== '', within};
						}

						return star !== undefined ? 'star' : any !== undefined ? 'any' : {text: escaped ?? text ?? ''};
					}),
		);

function isOne(token: Token, character: string): boolean {
	if (token === 'any') {
		return true;
	}

	if (token === 'star') {
		return false;
	}

	return 'text' in token ? token.text === character : isWithin(token.within, character) !== token.isNot;
}

const isWithin = (within: string, character: string): boolean =>
	[...within.matchAll(/(.)-(.)|(.)/gsu)].some(([, from, to, one]) =>
		from !== undefined && to !== undefined ? from <= character && character <= to : one === character,
	);

/** Its time does not grow beyond that of both lengths multiplied, whatever they are. */
function matches(tokens: readonly Token[], name: string): boolean {
	const characters = [...name];
	let token = 0;
	let at = 0;
	let star = -1;
	let mark = 0;
	while (at < characters.length) {
		const current = tokens[token];
		if (current !== undefined && isOne(current, characters[at] ?? '')) {
			token++;
			at++;
		} else if (current === 'star') {
			star = token++;
			mark = at;
		} else if (star >= 0) {
			token = star + 1;
			at = ++mark;
		} else {
			return false;
		}
	}

	return tokens.slice(token).every(rest => rest === 'star');
}

/** A place in a pattern: so many parts are matched. */
type Place = readonly [pattern: readonly Part[], done: number];

/** `**` may stand for nothing. */
const settle = ([pattern, done]: Place): Place[] =>
	pattern[done] === null ? [[pattern, done], ...settle([pattern, done + 1])] : [[pattern, done]];

const step = (places: readonly Place[], name: string): Place[] =>
	places.flatMap(([pattern, done]): Place[] => {
		const part = pattern[done];
		if (part === undefined) {
			return [];
		}

		return part === null ? settle([pattern, done]) : matches(part, name) ? settle([pattern, done + 1]) : [];
	});

/** Of one file or folder a place is reached in many ways. */
const distinct = (places: readonly Place[]): Place[] =>
	places.filter(([pattern, done], index) => places.findIndex(other => other[0] === pattern && other[1] === done) === index);

const isEnd = ([pattern, done]: Place): boolean => pattern.slice(done).every(part => part === null);

const beginning = Buffer.from('SQLite format 3\0');

/** What SQLite keeps beside a database, and what a restore does. */
const besides = /(?:-wal|-shm|-journal)$|^\..*\.holdfast-(?:restore|before)-/s;

export function find({mounts, patterns, most}: Question): Found {
	const all: Found = {found: [], isCut: false, unreadable: []};
	const wanted: Place[] = (patterns ?? ['/**']).flatMap(pattern => settle([partsOf(pattern), 0]));
	for (const {root, path, nested} of mounts) {
		const names = path.split('/').filter(Boolean);
		walk(
			all,
			{
				folder: Buffer.from(root),
				path: path === '/' ? '' : path,
				places: names.reduce((places, name) => distinct(step(places, name)), wanted),
			},
			{nested, most, isAny: patterns === null},
		);
	}

	return all;
}

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
		if (all.isCut || reached.length === 0 || options.nested.includes(inside)) {
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
