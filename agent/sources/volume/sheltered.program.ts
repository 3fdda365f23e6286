/**
 * The program that runs in the worker, not in the agent: the folders of a volume in which something is left alone by a restore: what matches PATTERNS, a
 * JSON list of patterns from the root, and what is on a file system of its own.
 *
 *     node sheltered.program.ts find ROOT PATTERNS           → each of them, from ROOT, ended by NUL; those that match are left out, with all that is in them
 *     node sheltered.program.ts clear ROOT PATTERNS <FOLDERS → {}: in FOLDERS, a JSON list of what `find` printed, nothing else is left
 *     node sheltered.program.ts back ROOT PATTERNS RUN       → {"left": […]}: what is left alone in folders that are kept beside under that name is in its place again, or in `left`
 *     any → {"error": …}
 *
 * Each can be done twice. What stands for one character of several (`[a-z]`) stands for any here: rather too much is left alone.
 */
import {readFileSync, rmdirSync, unlinkSync, writeSync} from 'node:fs';
import {answer, sync} from '../beside.ts';
import {restoreFiles} from '../kept-names.ts';
import {distinct, isEnd, type Place, step} from '../patterns.ts';
import {at, found, isFolder, joined, listed, matching, meant, move, placesOf, shown} from './trees.ts';

const ranges = /(\\.)|\[\^?(?:\\.|[^\]\\])+\]/gs;

const widened = (patterns: readonly string[]): Place[] =>
	placesOf(patterns.map(pattern => pattern.replaceAll(ranges, (_, escaped?: string) => escaped ?? '?')));

interface Tree {
	root: Buffer;
	device: bigint | undefined;
}

type Listed = ReturnType<typeof listed>[number];

interface Here {
	path: Buffer;
	places: readonly Place[];
	isLeft: boolean;
	/** Nothing of another file system is looked at. */
	isFolder: boolean;
	isElsewhere: boolean;
}

function look({device}: Tree, folder: Buffer, entry: Listed, above: readonly Place[]): Here {
	const path = at(folder, entry.name);
	const places = distinct(step(above, entry.name.toString()));
	const isLeft = places.some(isEnd);
	const isElsewhere = !isLeft && entry.isDirectory() && found(path)?.dev !== device;
	return {path, places, isLeft, isElsewhere, isFolder: entry.isDirectory() && !isElsewhere};
}

/** @returns whether it holds something that is left alone */
function finding(tree: Tree, folder: Buffer, above: readonly Place[], print: (path: Buffer) => void): boolean {
	let holds = false;
	for (const entry of listed(folder)) {
		const here = look(tree, folder, entry, above);
		const isHolding = here.isElsewhere || (!here.isLeft && here.isFolder && finding(tree, here.path, here.places, print));
		if (isHolding) {
			print(here.path.subarray(tree.root.length + 1));
		}

		holds ||= here.isLeft || isHolding;
	}

	return holds;
}

/** @returns whether something is left in it */
function clearing(tree: Tree, folder: Buffer, above: readonly Place[]): boolean {
	let holds = false;
	for (const entry of listed(folder)) {
		const here = look(tree, folder, entry, above);
		if (here.isLeft || here.isElsewhere || (here.isFolder && clearing(tree, here.path, here.places))) {
			holds = true;
		} else if (here.isFolder) {
			rmdirSync(here.path);
		} else {
			unlinkSync(here.path);
		}
	}

	return holds;
}

function find(tree: Tree, places: readonly Place[]): void {
	const nul = Buffer.from([0]);
	finding(tree, tree.root, places, path => {
		for (let rest = Buffer.concat([path, nul]); rest.length > 0; ) {
			rest = rest.subarray(writeSync(1, rest));
		}
	});
}

const below = (places: readonly Place[], names: readonly string[]): readonly Place[] =>
	names.reduce<readonly Place[]>((above, name) => distinct(step(above, name)), places);

function clear(tree: Tree, places: readonly Place[], folders: readonly string[]): void {
	for (const names of folders.map(folder => folder.split('/'))) {
		for (const folder of meant(tree.root, names)) {
			if (isFolder(folder)) {
				clearing(tree, folder, below(places, names));
				sync(folder);
			}
		}
	}
}

/** What is live there is again what it was before the restore, and that was a folder. */
function back(tree: Tree, places: readonly Place[], run: string): string[] {
	const [before = '', after = ''] = restoreFiles.old('\n', run).split('\n');
	const kept = matching(tree.root, placesOf(['/**/']), name => name.startsWith(before) && name.endsWith(after));
	return kept.flatMap(path => {
		const name = path.at(-1) ?? Buffer.alloc(0);
		const original = [...path.slice(0, -1), name.subarray(before.length, name.length - after.length)];
		const [from, to] = [joined(tree.root, path), joined(tree.root, original)];
		const own = below(
			places,
			original.map(part => part.toString()),
		);
		const left = isFolder(to) ? move(matching(from, own), from, to).map(each => `${shown(original)}/${each}`) : [shown(original)];
		if (left.length === 0) {
			clearing(tree, from, []);
			rmdirSync(from);
		}

		return left;
	});
}

const [verb = '', top = '', patterns = '[]', run = ''] = process.argv.slice(2);
const tree = {root: Buffer.from(top), device: found(top)?.dev};
const everywhere = widened(JSON.parse(patterns) as string[]);
if (verb === 'find') {
	find(tree, everywhere);
} else {
	answer(() =>
		verb === 'clear' ? clear(tree, everywhere, JSON.parse(readFileSync(0, 'utf8')) as string[]) : {left: back(tree, everywhere, run)},
	);
}
