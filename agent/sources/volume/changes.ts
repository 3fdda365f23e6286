/** Which files changed, however many they are: a start that gives a million files to another owner must fill neither the memory nor the night. */
import {output, succeed} from '../../../base/command.ts';
import {escapePattern} from '../../restic/argv.ts';
import type {SourceContext} from '../source.ts';
import {assertSearched, foundBy} from './found.ts';

/** File times come from a clock that may be a tick behind; and a network file system has a clock of its own. */
const clockMarginMs = 2000;

/** restic compares each file of the snapshot with each pattern: beyond this, reading what lies beside what changed is cheaper. */
const mostPatterns = 1000;

export interface Changes {
	/** Of files and folders that hold all that changed; `everything`: the whole folder. */
	patterns: readonly string[] | 'everything';
	/** They hold more than what changed. */
	isCoarse: boolean;
}

/**
 * The files whose content or inode changed in that time. One that got another owner *after* it is not among them: its inode is not the one
 * that restic knows, so it is read anyway.
 * @throws when a folder cannot be read
 */
export async function changedBetween(
	{worker, signal}: Pick<SourceContext, 'worker' | 'signal'>,
	path: string,
	from: Date,
	until: Date | undefined,
): Promise<Changes> {
	const before = until === undefined ? [] : ['!', '(', ...newerThan(until.toISOString(), '-o'), ')'];
	const find = await worker({argv: ['find', path, '-type', 'f', '(', ...newer(from, '-o'), ')', ...before, '-printf', '%P\\0'], signal});
	const found = gather(mostPatterns);
	for await (const names of foundBy(find)) {
		names.forEach(found.add);
	}

	await assertSearched(find, path);
	const {names, isCoarse} = found;
	return {patterns: names.has('') ? 'everything' : [...names].map(name => escapePattern(`${path}/${name}`)), isCoarse};
}

export const bothOf = (one: Changes, other: Changes): Changes => ({
	patterns:
		one.patterns === 'everything' || other.patterns === 'everything' ? 'everything' : [...new Set([...one.patterns, ...other.patterns])],
	isCoarse: one.isCoarse || other.isCoarse,
});

/** Where a page that is changed through mmap never gets a new time. @param system as `stat --file-system` names it */
export const isTimelessSystem = (system: string): boolean => ['tmpfs', 'ramfs'].includes(system);

export const isTimeless = async ({worker, signal}: Pick<SourceContext, 'worker' | 'signal'>, path: string): Promise<boolean> =>
	isTimelessSystem((await succeed(worker, {argv: ['stat', '--file-system', '--format=%T', '--', path], signal})).trim());

/**
 * Whether a file was changed since then and does not say so: its modification time can be set, that of its inode cannot. One that got another
 * name or owner counts, too.
 */
export async function isBackdated({worker, signal}: Pick<SourceContext, 'worker' | 'signal'>, path: string, from: Date): Promise<boolean> {
	const since = sinceOf(from);
	const argv = ['find', path, '-type', 'f', '-newerct', since, '!', '-newermt', since, '-print', '-quit'] as const;
	const {exitCode, stdout} = await output(worker, {argv, signal});
	return exitCode !== 0 || stdout !== '';
}

const sinceOf = (time: Date): string => new Date(time.getTime() - clockMarginMs).toISOString();

export const newer = (time: Date, or: string): string[] => newerThan(sinceOf(time), or);

const newerThan = (time: string, or: string): string[] => ['-newermt', time, or, '-newerct', time];

/** The newest time that a file can have which was read before that. */
export const lastOf = (time: Date): Date => new Date(time.getTime() + clockMarginMs);

/** Names, and where they are too many, the folders that they are in; in the end the one folder of all, which is ''. */
export function gather(most: number): {add: (name: string) => void; readonly names: ReadonlySet<string>; readonly isCoarse: boolean} {
	let names = new Set<string>();
	let deepest = Number.POSITIVE_INFINITY;
	const cut = (name: string): string => (deepest === Number.POSITIVE_INFINITY ? name : firstOf(name, deepest));
	return {
		add(name) {
			names.add(cut(name));
			while (names.size > most) {
				deepest = Math.max(...Array.from(names, each => each.split('/').length)) - 1;
				names = new Set(Array.from(names, cut));
			}
		},
		get names() {
			return names;
		},
		get isCoarse() {
			return deepest !== Number.POSITIVE_INFINITY;
		},
	};
}

/** The first so many parts of a path. */
function firstOf(name: string, count: number): string {
	let end = count === 0 ? 0 : -1;
	for (let parts = 0; parts < count; parts++) {
		end = name.indexOf('/', end + 1);
		if (end === -1) {
			return name;
		}
	}

	return name.slice(0, end);
}
