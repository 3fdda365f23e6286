/**
 * What a restore in place leaves alone (`holdfast.exclude`, what is mounted there, what others keep) and what is in a folder that the point lacks: restic
 * (0.19.1) removes such a folder with all that it holds, and puts a file in the place of a folder whatever is excluded in it.
 */
import {dirname} from 'node:path/posix';
import type {Place} from '../../../base/command.ts';
import {shippedProgram} from '../../../base/shipped.ts';
import {escapePattern} from '../../restic/argv.ts';
import type {Restic} from '../../restic/restic.ts';
import {answered} from './answered.ts';
import {assertSearched, foundBy} from './found.ts';

const program = shippedProgram('agent/sources/volume/sheltered.program');

/** What the agent remembers of them is bounded. */
const mostFolders = 200_000;

/** restic compares each file with each pattern. */
const mostPatterns = 1000;

/** So many folders are asked for by name; of more, all of the point is listed. */
const mostNamed = 1000;

interface Shelter {
	restic: Pick<Restic, 'list'>;
	worker: Place;
	from: {snapshot: string; path: string};
	/** The folder that the snapshot is written to. */
	to: string;
	/** Patterns from the root. */
	exclude: readonly string[];
	signal: AbortSignal;
}

/** Paths from the root, without a slash in front. `missing`: the topmost folders that the point lacks. `inTheWay`: of what is no folder there. */
interface Sheltered {
	missing: readonly string[];
	inTheWay: readonly string[];
}

/** @returns undefined where there are too many: then nothing may be removed */
export async function shelteredIn({restic, worker, from, to, exclude, signal}: Shelter): Promise<Sheltered | undefined> {
	const folders = await foldersThatHold({worker, to, exclude, signal});
	if (folders === undefined) {
		return undefined;
	}

	const types = folders.size === 0 ? new Map<string, string>() : await typesOf(folders, {restic, from, signal});
	const isFolder = (path: string): boolean => path === '' || types.get(path) === 'dir';
	const topmost = [...folders].filter(([alike]) => !isFolder(alike) && isFolder(above(alike)));
	const missing = topmost.filter(([alike]) => !types.has(alike)).map(([, path]) => path);
	return missing.length > mostPatterns
		? undefined
		: {missing, inTheWay: topmost.filter(([alike]) => types.has(alike)).map(([, path]) => path)};
}

/** restic shows each byte that is not UTF-8 as one U+FFFD, and Node some of them together. */
const alikeOf = (path: string): string => path.replaceAll(/\uFFFD+/g, '\uFFFD');

const above = (path: string): string => {
	const folder = dirname(path);
	return folder === '.' ? '' : folder;
};

/** By how they are alike. */
async function foldersThatHold({
	worker,
	to,
	exclude,
	signal,
}: Omit<Shelter, 'restic' | 'from'>): Promise<ReadonlyMap<string, string> | undefined> {
	const running = await worker({argv: [...program, 'find', to, JSON.stringify(exclude)], signal});
	const folders = new Map<string, string>();
	for await (const paths of foundBy(running)) {
		for (const path of paths) {
			folders.set(alikeOf(path), path);
		}

		if (folders.size > mostFolders) {
			await running.kill();
			return undefined;
		}
	}

	await assertSearched(running, to);
	return folders;
}

/** Of those that the point has. */
async function typesOf(
	folders: ReadonlyMap<string, string>,
	{restic, from: {snapshot, path: root}, signal}: Pick<Shelter, 'restic' | 'from' | 'signal'>,
): Promise<Map<string, string>> {
	const types = new Map<string, string>();
	const holding = new Set([...folders.values()].map(path => (above(path) === '' ? root : `${root}/${above(path)}`)));
	const isShort = holding.size <= mostNamed && ![...holding].some(path => path.includes('\uFFFD'));
	await restic.list({
		snapshot,
		folder: root,
		only: isShort ? [...holding] : undefined,
		signal,
		onEntry({path, type}) {
			const alike = alikeOf(path);
			if (folders.has(alike)) {
				types.set(alike, type);
			}
		},
	});
	return types;
}

export const patternsOf = ({missing}: Sheltered): string[] => missing.map(path => `/${escapePattern(path)}`);

/** What the point lacks is removed from the folders that were left where they are, but for what is left alone. */
export async function clearAround(
	{missing}: Sheltered,
	{worker, to, exclude, signal}: Pick<Shelter, 'worker' | 'to' | 'exclude' | 'signal'>,
): Promise<void> {
	if (missing.length > 0) {
		const running = await worker({argv: [...program, 'clear', to, JSON.stringify(exclude)], stdin: true, signal});
		running.stdin.end(JSON.stringify(missing));
		await answered(running);
	}
}

/** After an undo: out of the folders that are kept beside under that name. @returns what could not be put back, because something else is there */
export const putBackFrom = async (keptAs: string, {worker, to, exclude}: Pick<Shelter, 'worker' | 'to' | 'exclude'>): Promise<string[]> =>
	answered(await worker({argv: [...program, 'back', to, JSON.stringify(exclude), keptAs]}));
