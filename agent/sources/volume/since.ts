/**
 * What a first pass must know before it begins: whether times tell anything here, and what changed since the backup before, where that is little: it
 * is named, so that nothing else need be looked at before the moment.
 */
import {dirname} from 'node:path/posix';
import {succeed} from '../../../base/command.ts';
import type {Saved} from '../../restic/restic.ts';
import {isOfRestore} from '../kept-names.ts';
import type {SourceContext} from '../source.ts';
import {isTimelessSystem, newer} from './changes.ts';

/** So much is read in the moment, where its content is in the repository by then: that takes two tenths of a second. */
const mostBytes = 32 * 1024 ** 2;
const mostEntries = 1000;

/** The kernel takes 2 MiB of arguments and environment together. */
const mostNameBytes = 256 * 1024;

export interface Little {
	/** Absolute paths that hold all that changed. */
	paths: readonly string[];
	/** How many files changed, and what they hold. */
	files: number;
	bytes: number;
	/** A folder changed: more than what is new may have come with it. */
	hasFolders: boolean;
	/** Some of it may have changed after the backup before had read it, and not show it. */
	isDoubtful: boolean;
}

export type Since = 'nothing' | 'much' | Little;

export interface FirstLook {
	/** Every pass reads everything. */
	isTimeless: boolean;
	since: Since;
	/** Since when every change of a file that is mapped into memory gives it a new time: what was changed before is written back. */
	begun: Date;
}

interface Before {
	/** When the backup before began. */
	from: Date;
	/** How new a file is that it may have read while that changed; undefined: none did. */
	until: Date | undefined;
	/** Something below the path is left out: what is named must not be what is left out. */
	excludes: boolean;
}

/**
 * `sh -c SCRIPT PATH MOST [CONDITION …]`: one program for three questions, because its start in a worker takes longer than the answers (0.06 s, and
 * 0.1 s of a processor). What cannot be searched ends with an entry that is none.
 */
const script = `sync -f "$0" & writing=$!
system=$(stat --file-system --format=%T -- "$0") && printf '%s\\0' "$system" || exit
most=$1; shift
[ $# = 0 ] || { find "$0" "$@" || printf '?\\0'; } | head --zero-terminated --lines="$most"
wait "$writing"`;

/** @param before missing: all may have changed @throws where the file system cannot be asked, or not written back */
export async function firstLook(
	{worker, signal}: Pick<SourceContext, 'worker' | 'signal'>,
	path: string,
	before: Before | undefined,
): Promise<FirstLook> {
	const begun = new Date();
	const conditions = before === undefined ? [] : ['(', ...newer(before.from, '-o'), ')', '-printf', '%y %s %T@ %C@ %P\\0'];
	const printed = await succeed(worker, {argv: ['sh', '-c', script, path, String(mostEntries + 1), ...conditions], signal});
	const [system = '', ...entries] = printed.split('\0').slice(0, -1);
	return {isTimeless: isTimelessSystem(system), since: before === undefined ? 'much' : sinceOf(path, entries, before), begun};
}

/** A folder that was renamed or filled is a change, though the files in it may be old. What vanishes under its feet is much. */
function sinceOf(path: string, entries: readonly string[], {until, excludes}: Before): Since {
	const untilMs = until?.getTime() ?? Number.NEGATIVE_INFINITY;
	const found = {names: new Map<string, string>(), files: 0, bytes: 0, nameBytes: 0, hasFolders: false, isDoubtful: false};
	for (const entry of entries) {
		const [, type, size, modified, changed, name = ''] = /^(.) (\d+) (-?[\d.]+) (-?[\d.]+) (.*)$/s.exec(entry) ?? [];
		if (type === undefined || isUnnameable(entry)) {
			return 'much';
		}

		found.names.set(name, type);
		found.nameBytes += name.length + path.length;
		found.hasFolders ||= type === 'd';
		if (type === 'f') {
			found.files++;
			found.bytes += Number(size);
			found.isDoubtful ||= Math.max(Number(modified), Number(changed)) * 1000 <= untilMs;
		}
	}

	if (found.names.size > mostEntries || found.bytes > mostBytes || found.nameBytes > mostNameBytes) {
		return 'much';
	}

	return found.names.size === 0
		? 'nothing'
		: {paths: topmost(found.names, {foldersOnly: excludes}).map(name => (name === '' ? path : `${path}/${name}`)), ...found};
}

/** What is shown of bytes that are not UTF-8 is no path; and what is of a restore is taken by no backup. */
const isUnnameable = (entry: string): boolean => entry.includes('\uFFFD') || entry.split(/[ /]/).some(isOfRestore);

/** restic leaves out nothing that is named to it: where something is to be left out, the folders are named. */
function topmost(names: ReadonlyMap<string, string>, {foldersOnly}: {foldersOnly: boolean}): string[] {
	const folders = new Set([...names].flatMap(([name, type]) => (type === 'd' ? [name] : foldersOnly ? [folderOf(name)] : [])));
	const isBelow = (name: string): boolean => {
		for (let above = name; above !== ''; ) {
			above = folderOf(above);
			if (folders.has(above)) {
				return true;
			}
		}

		return false;
	};
	return [...new Set([...folders, ...(foldersOnly ? [] : names.keys())])].filter(name => !isBelow(name));
}

const folderOf = (name: string): string => {
	const folder = dirname(name);
	return folder === '.' ? '' : folder;
};

/** Also of what was moved there and is old, nothing would be read in the moment that was not looked at. */
export const holdsAll = (
	{files}: Pick<Little, 'files'>,
	{files: passed, unmodifiedFiles}: Pick<Saved, 'files' | 'unmodifiedFiles'>,
): boolean => passed - unmodifiedFiles <= files;
