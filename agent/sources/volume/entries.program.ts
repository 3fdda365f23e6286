/**
 * The program that runs in the worker, not in the agent: the entries of a volume, all at once, take the place of others by renames, so that its time
 * grows neither with the data nor with the number of files. The root of the volume is mounted, and stays. What is of a restore (`kept-names.ts`) is
 * left where it is, and so is what matches EXCLUDE, a JSON list of patterns from the root.
 *
 *     node entries.program.ts look ROOT RUN EXCLUDE   → {"why": …}: why it cannot be done there; nothing is written
 *     node entries.program.ts make ROOT RUN EXCLUDE   → {}: there is a folder to load into
 *     node entries.program.ts ready ROOT RUN EXCLUDE  → {"owners": …}: what was loaded is a folder, and what other restores keep in the live tree is found; `owners` of the
 *                                                       root: whose it is, and whose it will be, where that is another; who is root may write all the same
 *     node entries.program.ts swap ROOT RUN EXCLUDE   → {"left": […]}: what was loaded is live, what was live is kept; `left` could not stay where it was;
 *                                                       or {"refused": …}: the file system does not rename that, and it is for an undo to put all back
 *     node entries.program.ts undo ROOT RUN EXCLUDE   → {"left": […], "isThere": …}: what was live is so again, however far the swap came; `isThere`:
 *                                                       something of the restore is
 *     node entries.program.ts clear ROOT RUN EXCLUDE  → {"left": […]}: after an undo, nothing of the restore is there but these folders: what is excluded and has no place
 *     node entries.program.ts remove ROOT RUN EXCLUDE → {"left": […]}: what was kept is gone, but those
 *     any → {"error": …}
 *
 * `undo`, `clear` and `remove` go on where one was killed. An undo makes nobody wait for the removal of what it takes away.
 */
import {execFileSync} from 'node:child_process';
import {chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, statfsSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {answer, own, sync} from '../beside.ts';
import {isOfRestore, restoreFiles} from '../kept-names.ts';
import {isEnd, type Place, step} from '../patterns.ts';
import {
	at,
	found,
	free,
	giveAttributes,
	isFolder,
	joined,
	keepAttributes,
	keptIn,
	matching,
	move,
	namesIn,
	placesOf,
	shown,
	unfinished,
} from './trees.ts';

/** Those that rename a folder whatever it is, by the number that the kernel gives: ext, xfs, btrfs, zfs, f2fs, bcachefs, nfs. */
const renaming = new Set([0xef53, 0x58465342, 0x9123683e, 0x2fc12fc1, 0xf2f52010, 0xca451a4e, 0x6969]);

/** All in the root, so that they are on its file system. */
function namesFor(root: string, run: string) {
	const [fresh, old] = [join(root, restoreFiles.fresh('volume', run)), join(root, restoreFiles.old('volume', run))];
	return {
		root,
		/** Holds one folder, which was the root when it was backed up. */
		loaded: fresh,
		/** The owner, mode, times and attributes of that folder, as a tar. */
		loadedRoot: `${fresh}.root`,
		/** Where in the live tree others keep something. */
		others: `${fresh}.kept`,
		/** What an undo took away. */
		gone: `${fresh}.gone`,
		/** In the root: what is excluded and has no place. */
		excluded: restoreFiles.old('excluded', run),
		/** What was live. */
		old,
		/** As `loadedRoot`, of the root. */
		oldRoot: `${old}.root`,
		/** While it is there, nothing that was live is in its place: what is there is new. */
		out: `${old}.out`,
	};
}

type Names = ReturnType<typeof namesFor>;

/** What stays at the root: what is of restores, what is excluded, and what belongs to the file system. */
function entriesOf(root: Buffer, exclude: readonly Place[]): Buffer[] {
	return namesIn(root).filter(entry => {
		const name = entry.toString();
		return !isOfRestore(name) && name !== 'lost+found' && !step(exclude, name).some(isEnd);
	});
}

/** For the restore alone: no application reads or empties what is half loaded, or kept. */
function makeOwn(folder: string): void {
	mkdirSync(folder, {recursive: true, mode: 0o700});
	own(folder, {uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0});
	chmodSync(folder, 0o700);
}

/** It was the root when it was backed up. */
function loadedFolder({loaded}: Names): string {
	const [name, ...more] = isFolder(loaded) ? namesIn(loaded) : [];
	const folder = join(loaded, name?.toString() ?? '');
	if (name === undefined || more.length > 0 || !isFolder(folder)) {
		throw new Error('what was loaded is not one folder');
	}

	return folder;
}

function look({root}: Names, exclude: readonly Place[]): {why?: string} {
	const top = found(root);
	if (top?.isDirectory() !== true) {
		return {why: 'it is a single file'};
	}

	if (!renaming.has(statfsSync(root).type)) {
		return {why: 'its file system is not known to rename every folder'};
	}

	const inside = mountsBelow(root);
	if (inside !== undefined) {
		return {why: `something is mounted in it, at ${inside}`};
	}

	const path = Buffer.from(root);
	const looked = [...namesIn(path).map(name => [name]), ...matching(path, exclude).flatMap(one => [one, one.slice(0, -1)])];
	const elsewhere = looked.find(one => ![undefined, top.dev].includes(found(joined(path, one))?.dev));
	return elsewhere === undefined ? {} : {why: `${shown(elsewhere)} in it is on a file system of its own`};
}

function mountsBelow(root: string): string | undefined {
	const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
		.split('\n')
		.map(line => (line.split(' ')[4] ?? '').replaceAll(/\\(\d{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8))));
	return mounts.find(mount => mount.startsWith(`${root}/`))?.slice(root.length);
}

function ready(names: Names): {owners?: {now: number; again: number}} {
	keepAttributes(loadedFolder(names), names.loadedRoot);
	const paths = keptIn(Buffer.from(names.root)).filter(path => path.length > 1);
	writeFileSync(names.others, JSON.stringify(paths.map(path => path.map(part => part.toString('latin1')))));
	sync(names.others);
	const [now, again] = [lstatSync(names.root).uid, lstatSync(loadedFolder(names)).uid];
	return now === again || now === 0 ? {} : {owners: {now, again}};
}

/** Quotas of projects, policies of encryption and attributes of single files show only when it is tried: EXDEV, EPERM. Nothing else may be there: ENOTEMPTY. */
const refusals = ['EXDEV', 'EPERM', 'EACCES', 'EBUSY', 'ENOTEMPTY', 'EEXIST'];

function renameEntry(name: Buffer, from: Buffer, to: Buffer): void {
	try {
		renameSync(at(from, name), at(to, name));
	} catch (error) {
		const code = error instanceof Error && 'code' in error ? String(error.code) : '';
		throw refusals.includes(code) ? new RefusedError(`${name} (${code})`) : error;
	}
}

class RefusedError extends Error {}

function swap(names: Names, exclude: readonly Place[]): {left: string[]} | {refused: string} {
	try {
		return exchange(names, exclude);
	} catch (error) {
		if (error instanceof RefusedError) {
			return {refused: error.message};
		}

		throw error;
	}
}

function exchange(names: Names, exclude: readonly Place[]): {left: string[]} {
	const {root, loaded, loadedRoot, others, old, oldRoot, out} = names;
	const [top, aside, fresh] = [Buffer.from(root), Buffer.from(old), Buffer.from(loadedFolder(names))];
	const kept = (JSON.parse(readFileSync(others, 'utf8')) as string[][]).map(path => path.map(part => Buffer.from(part, 'latin1')));
	keepAttributes(root, oldRoot);
	makeOwn(old);
	sync(root);
	for (const name of entriesOf(top, exclude)) {
		renameEntry(name, top, aside);
	}

	sync(old);
	sync(root);
	writeFileSync(out, '');
	sync(root);
	// What is there still is what stays, be it in the point or not.
	for (const name of namesIn(fresh).filter(each => found(at(top, each)) === undefined)) {
		renameEntry(name, fresh, top);
	}

	const moved = kept.filter(path => found(joined(aside, path)) !== undefined);
	const left = move([...matching(aside, exclude), ...moved], aside, top);
	rmSync(loaded, {recursive: true});
	rmSync(others);
	const attributes = readFileSync(loadedRoot);
	rmSync(loadedRoot);
	giveAttributes(root, attributes);
	sync(root);
	return {left};
}

function undo({root, old, oldRoot, out, loaded, gone}: Names, exclude: readonly Place[]): {left: string[]; isThere: boolean} {
	const [top, aside, trash] = [Buffer.from(root), Buffer.from(old), Buffer.from(gone)];
	if (!existsSync(old)) {
		return {left: [], isThere: existsSync(loaded) || existsSync(gone)};
	}

	makeOwn(gone);
	const takeAway = (name: Buffer) => renameSync(at(top, name), free(trash, name));
	let left: string[] = [];
	if (existsSync(out)) {
		entriesOf(top, exclude).forEach(takeAway);
		left = move(matching(trash, exclude), trash, aside);
		sync(gone);
		sync(old);
		sync(root);
		rmSync(out);
		sync(root);
	}

	for (const name of namesIn(aside)) {
		// An application that was started on half of it may have made one of the same name.
		if (found(at(top, name)) !== undefined) {
			takeAway(name);
		}

		renameSync(at(aside, name), at(top, name));
	}

	// Before it is known to be back, and again because that changes its time.
	const attributes = readFileSync(oldRoot);
	giveAttributes(root, attributes);
	sync(root);
	rmdirSync(old);
	giveAttributes(root, attributes);
	sync(root);
	return {left, isThere: true};
}

function clear(names: Names, exclude: readonly Place[]): {left: string[]} {
	const {root, old, gone} = names;
	if (existsSync(old)) {
		throw new Error(`${old} is still there: what it holds was not put back`);
	}

	rescue(gone, root);
	const left = setAside(gone, names, exclude);
	discard(names);
	return {left};
}

function remove(names: Names, exclude: readonly Place[]): {left: string[]} {
	const {root, old, out, loaded, gone} = names;
	if (existsSync(old) && (!existsSync(out) || existsSync(loaded))) {
		throw new Error(`what is live is half of it, and ${old} has the rest`);
	}

	rescue(old, root);
	rescue(gone, root);
	const left = [old, gone].flatMap(folder => setAside(folder, names, exclude));
	discard(names);
	return {left};
}

/** What is excluded and has no place any more, because something else is there, does not go with the rest. @returns the folder that it is in from now on */
function setAside(folder: string, {root, excluded}: Names, exclude: readonly Place[]): string[] {
	const from = Buffer.from(folder);
	const paths = isFolder(folder) ? matching(from, exclude) : [];
	if (paths.length === 0) {
		return [];
	}

	const aside = free(Buffer.from(root), Buffer.from(excluded));
	makeOwn(aside.toString());
	move(paths, from, aside);
	sync(aside);
	sync(root);
	return [aside.subarray(root.length + 1).toString()];
}

/** What other restores keep in there belongs where it was. */
function rescue(folder: string, root: string): void {
	const from = Buffer.from(folder);
	const left = isFolder(folder) ? move(keptIn(from), from, Buffer.from(root)) : [];
	if (left.length > 0) {
		throw new Error(`${folder} holds what another restore keeps, and that cannot be put where it was: ${left[0]}`);
	}
}

/** The mark goes last: without it what was live is not out of the way. */
function discard({root, excluded: _, ...names}: Names): void {
	const {out, ...others} = names;
	for (const files of [Object.values(others).flatMap(path => [path, unfinished(path)]), [out]]) {
		execFileSync('rm', ['-rf', '--one-file-system', '--', ...files], {stdio: ['ignore', 'ignore', 'pipe']});
	}

	sync(root);
}

const verbs: Readonly<Record<string, (names: Names, exclude: readonly Place[]) => unknown>> = {
	look,
	make: ({loaded}) => makeOwn(loaded),
	ready,
	swap,
	undo,
	clear,
	remove,
};

/** @param exclude patterns from the root */
export const perform = (verb: string, root: string, {run, exclude}: {run: string; exclude: readonly string[]}): unknown =>
	verbs[verb]?.(namesFor(root, run), placesOf(exclude));

if (process.argv[1] === import.meta.filename) {
	const [verb = '', root = '', run = '', exclude = '[]'] = process.argv.slice(2);
	answer(() => perform(verb, root, {run, exclude: JSON.parse(exclude) as string[]}));
}
