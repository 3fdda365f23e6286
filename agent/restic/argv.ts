/** The only place that builds restic's arguments. Every value stands behind `--option=` or `--`, so that none becomes an option. */
import {alwaysLeftOut, systemAttributes} from './attributes.ts';
import type {Hold} from './hold.ts';
import type {Repository} from './repository.ts';
import type {
	CompareOptions,
	CopyOptions,
	FilesOptions,
	ListOptions,
	LookOptions,
	RestoreOptions,
	SearchOptions,
	StreamOptions,
} from './restic.ts';

export type Arguments = readonly string[];

type Stamp = Pick<FilesOptions, 'tags' | 'time' | 'host'>;

/** As `--time` wants it. restic reads it as local time, so it runs with `TZ=UTC`. Whole seconds. */
const formatTime = (time: Date): string => time.toISOString().slice(0, 19).replace('T', ' ');

/** restic splits tags at commas and cannot be told not to. */
function checkTags(tags: readonly string[]): void {
	const bad = tags.find(tag => tag === '' || /[,\0]/.test(tag) || tag !== tag.trim());
	if (bad !== undefined) {
		throw new Error(`A tag must not be empty, hold a comma, or begin or end with a space: ${JSON.stringify(bad)}`);
	}
}

/** `latest` and the like are never meant. */
export function checkId(id: string): string {
	if (!/^[0-9a-f]{8,64}$/.test(id)) {
		throw new Error(`A snapshot's id must be 8 to 64 hexadecimal digits: ${JSON.stringify(id)}`);
	}

	return id;
}

function checkAbsolute(path: string): string {
	if (!path.startsWith('/') || path.includes('\0')) {
		throw new Error(`A path must be absolute: ${JSON.stringify(path)}`);
	}

	return path;
}

const stamp = ({tags, time, host}: Stamp): Arguments => {
	checkTags(tags);
	return [`--host=${host}`, `--time=${formatTime(time)}`, ...tags.map(tag => `--tag=${tag}`)];
};

const excluding = (patterns: readonly string[] = []): Arguments => patterns.map(pattern => `--exclude=${pattern}`);

/**
 * A pattern that matches this very path and, but for names that are not UTF-8, nothing else. `path` is absolute or a single name.
 * Node shows bytes that are not UTF-8 as U+FFFD; there the pattern matches anything.
 */
export const escapePattern = (path: string): string =>
	path
		.replaceAll(/[\\*?[\]]/g, '\\$&')
		.replace(/^!/, '\\!')
		.replaceAll('\uFFFD', '*');

/** restic opens and locks the repository, then waits for the end of its standard input. */
const holding = (hold: Hold | undefined): Arguments => (hold ? ['--exclude-file=/dev/stdin'] : []);

export const backupFiles = ({path, only = [path], parent, exclude, quick, hold, ...options}: FilesOptions): Arguments => [
	'backup',
	...stamp(options),
	parent === undefined ? '--force' : `--parent=${checkId(parent)}`,
	...(quick ? ['--no-scan', '--quiet'] : []),
	...excluding(exclude),
	...holding(hold),
	'--',
	...only.map(checkAbsolute),
];

export const backupStream = ({filename, command, hold, ...options}: StreamOptions): Arguments => [
	'backup',
	...stamp(options),
	'--force',
	'--no-scan',
	...holding(hold),
	'--stdin-from-command',
	`--stdin-filename=${checkAbsolute(filename)}`,
	'--',
	...command,
];

export const snapshots = (tags: readonly string[]): Arguments => {
	checkTags(tags);
	return ['snapshots', ...(tags.length > 0 ? [`--tag=${tags.join(',')}`] : [])];
};

export const snapshot = (id: string): Arguments => ['snapshots', '--', checkId(id)];

export const rewrite = (id: string, patterns: readonly string[]): Arguments => ['rewrite', ...excluding(patterns), '--', checkId(id)];

/** Quiet, because `dump` says on the standard output, in front of the content, that it waits for a lock. */
export const dump = (id: string, path: string): Arguments => ['dump', '--quiet', '--', checkId(id), checkAbsolute(path)];

export const peek = (id: string, path: string): Arguments => ['dump', '--quiet', '--no-lock', '--', checkId(id), checkAbsolute(path)];

export const dumpFolder = (id: string, folder: string): Arguments => [
	'dump',
	'--quiet',
	'--archive=tar',
	'--',
	`${checkId(id)}:${checkAbsolute(folder)}`,
	'/',
];

export const list = ({snapshot: id, folder, only}: Pick<ListOptions, 'snapshot' | 'folder' | 'only'>): Arguments =>
	only === undefined
		? ['ls', '--recursive', '--', checkId(id), checkAbsolute(folder)]
		: ['ls', '--', checkId(id), ...only.map(checkAbsolute)];

export const look = ({snapshot: id, path, recursive}: LookOptions): Arguments => [
	'ls',
	...(recursive ? ['--recursive'] : []),
	'--',
	checkId(id),
	checkAbsolute(path),
];

export const search = ({tags, patterns, ignoreCase}: SearchOptions): Arguments => {
	tags.forEach(checkTags);
	return ['find', ...(ignoreCase ? ['--ignore-case'] : []), ...tags.map(all => `--tag=${all.join(',')}`), '--', ...patterns];
};

export const compare = ({from, to}: CompareOptions): Arguments => [
	'diff',
	'--',
	...[from, to].map(({snapshot, folder}) => `${checkId(snapshot)}:${checkAbsolute(folder)}`),
];

const restoring = ({
	snapshot: id,
	subfolder,
	into,
	delete: removes,
	byTimes,
	verify,
	plain,
	exclude,
	include = [],
}: RestoreOptions): Arguments => [
	`--target=${checkAbsolute(into)}`,
	'--sparse',
	...(removes ? ['--delete'] : []),
	...(byTimes ? ['--overwrite=if-changed'] : []),
	...(verify ? ['--verify'] : []),
	...[...alwaysLeftOut, ...(plain ? systemAttributes : [])].map(pattern => `--exclude-xattr=${pattern}`),
	...excluding(exclude),
	...include.map(pattern => `--include=${pattern}`),
	'--',
	`${checkId(id)}:${checkAbsolute(subfolder)}`,
];

/** Holes are restored as holes: a file that is mostly holes may not fit otherwise. */
export const restore = (options: RestoreOptions): Arguments => ['restore', ...restoring(options)];

/** Without a look at what would be removed: restic 0.19.1 fails there where a file is in the place of a folder, but only in a rehearsal. */
export const changes = (options: RestoreOptions): Arguments => ['restore', '--dry-run', ...restoring({...options, delete: false})];

/** The same, naming each file. */
export const changesOfEach = (options: RestoreOptions): Arguments => ['restore', '--verbose=2', ...changes(options).slice(1)];

export const rehearse = (options: RestoreOptions): Arguments => ['restore', '--dry-run', ...restoring({...options, delete: true})];

export const find = (id: string, path: string): Arguments => ['ls', '--', checkId(id), checkAbsolute(path)];

/** `--from-repo` itself is in the environment. */
export const initLike: Arguments = ['init', '--copy-chunker-params'];

/** KiB a second. */
export const limits = ({limitUpload, limitDownload}: Pick<CopyOptions, 'limitUpload' | 'limitDownload'>): Arguments => [
	...(limitUpload === undefined ? [] : [`--limit-upload=${limitUpload}`]),
	...(limitDownload === undefined ? [] : [`--limit-download=${limitDownload}`]),
];

/** What the source of the snapshots may be read with counts where the copy says nothing of it. */
export const copy = ({
	snapshots: ids,
	from,
	limitUpload,
	limitDownload = from.limitDownload,
}: Pick<CopyOptions, 'snapshots' | 'limitUpload' | 'limitDownload'> & {from: Pick<Repository, 'limitDownload'>}): Arguments => [
	'copy',
	...limits({limitUpload, limitDownload}),
	'--',
	...ids.map(checkId),
];

export const forget = (ids: readonly string[]): Arguments => ['forget', '--', ...ids.map(checkId)];

export const prune: Arguments = ['prune'];

/** @param part which of the packs are read whole: `all`, or `n/N` */
export function check(part: string | undefined): Arguments {
	if (part === undefined || part === 'all') {
		return ['check', ...(part === undefined ? [] : ['--read-data'])];
	}

	if (!/^[1-9]\d{0,2}\/[1-9]\d{0,2}$/.test(part)) {
		throw new Error(`A part of the packs must be \`all\` or \`n/N\`: ${JSON.stringify(part)}`);
	}

	return ['check', `--read-data-subset=${part}`];
}

export const stats: Arguments = ['stats', '--mode=raw-data'];

/** The kernel takes 2 MiB of arguments and environment together. */
const argumentBytes = 1_000_000;

/** Splits values into lists that each fit into one command. */
export function batches(values: readonly string[]): string[][] {
	const lists: string[][] = [];
	let room = 0;
	for (const value of values) {
		const size = Buffer.byteLength(value) + 32;
		if (size > room || lists.length === 0) {
			lists.push([]);
			room = argumentBytes;
		}

		lists.at(-1)?.push(value);
		room -= size;
	}

	return lists;
}
