/**
 * The program that runs in the worker, not in the agent: it puts single files or folders of a volume in the place of others. Each verb can be
 * done twice. ROOT is the mount, SCRATCH a folder in it that holds what was restored, PATHS a JSON list of paths below either.
 *
 *     node single-files.program.ts check ROOT SCRATCH RUN PATHS  → {}: every path is in the mount
 *     node single-files.program.ts swap ROOT SCRATCH RUN PATHS   → {}: what is at each path is kept beside it, and what was restored takes its place
 *     node single-files.program.ts undo ROOT SCRATCH RUN PATHS   → {}: what was there is there again, and the scratch is gone
 *     node single-files.program.ts whole ROOT SCRATCH RUN PATHS  → {}: there is something at every path, or there was nothing
 *     node single-files.program.ts remove ROOT SCRATCH RUN PATHS → {}: what was kept is gone
 *     any → {"error": …}
 *
 * Everything is on one file system, so that each place is filled by a rename: nobody meets half a file. A link is replaced, not followed; one
 * on the way is followed within the mount only.
 */
import {existsSync, lstatSync, realpathSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {answer, isInside, makeFolder, nearestFolder, none, sync} from '../beside.ts';
import {restoreFiles} from '../kept-names.ts';

const exists = (path: string): boolean => lstatSync(path, {throwIfNoEntry: false}) !== undefined;

/** The folder that a path is really in. @throws when that is outside of the mount */
function folderOf(root: string, path: string): string {
	const folder = dirname(join(root, path));
	if (!isInside(nearestFolder(join(root, path)), realpathSync(root))) {
		throw new Error(`${path} is below a link that leads out of its mount`);
	}

	return existsSync(folder) ? realpathSync(folder) : folder;
}

const discard = (path: string) => rmSync(path, {recursive: true, force: true});

interface Place {
	/** What was restored. */
	fresh: string;
	live: string;
	/** Where what was live is kept. */
	old: string;
}

function placeOf(root: string, scratch: string, run: string, path: string): Place {
	const folder = folderOf(root, path);
	return {fresh: join(scratch, path), live: join(folder, basename(path)), old: join(folder, restoreFiles.old(basename(path), run))};
}

/** Where a path leads out of the mount now, nothing of ours can be. */
function placesInside(root: string, scratch: string, run: string, paths: readonly string[]): Place[] {
	return paths.flatMap(path => {
		try {
			return [placeOf(root, scratch, run, path)];
		} catch {
			return [];
		}
	});
}

/** All places are found before the first is touched. */
function swap(places: readonly Place[], scratch: string): void {
	const missing = places.find(({fresh}) => !exists(fresh));
	if (missing !== undefined) {
		throw new Error(`${missing.fresh.slice(scratch.length)} was not restored`);
	}

	for (const {fresh, live, old} of places) {
		makeFolder(dirname(live));
		if (exists(live)) {
			renameSync(live, old);
		} else {
			writeFileSync(old + none, '');
		}

		renameSync(fresh, live);
		sync(dirname(live));
	}

	discard(scratch);
}

function undo(places: readonly Place[], scratch: string): void {
	for (const {live, old} of places.toReversed()) {
		if (exists(old) || exists(old + none)) {
			discard(live);
		}

		if (exists(old)) {
			renameSync(old, live);
		}

		if (existsSync(dirname(live))) {
			discard(old + none);
			sync(dirname(live));
		}
	}

	discard(scratch);
}

function whole(places: readonly Place[]): void {
	const lost = places.find(({live, old}) => exists(old) && !exists(live));
	if (lost !== undefined) {
		throw new Error(`${lost.live} is not there, and ${lost.old} is all that is left of it`);
	}
}

function remove(places: readonly Place[], scratch: string): void {
	for (const {old} of places) {
		discard(old);
		discard(old + none);
	}

	discard(scratch);
}

const verbs: Readonly<Record<string, (places: readonly Place[], scratch: string) => void>> = {
	check() {},
	swap,
	undo,
	whole,
	remove,
};

const [verb = '', root = '', scratch = '', run = '', paths = '[]'] = process.argv.slice(2);
answer(() => {
	const all = JSON.parse(paths) as string[];
	const isForward = verb === 'check' || verb === 'swap';
	const places = isForward ? all.map(path => placeOf(root, scratch, run, path)) : placesInside(root, scratch, run, all);
	verbs[verb]?.(places, scratch);
});
