/** A look at all files of a volume after they were read, in one walk: what is sparse, how new a file is that may have changed meanwhile, and what no point keeps. */
import {label} from '../../../base/label.ts';
import {escapePattern} from '../../restic/argv.ts';
import type {SourceContext} from '../source.ts';
import {newer} from './changes.ts';
import {fromRoot} from './exclusions.ts';
import {assertSearched, foundBy} from './found.ts';

/** Smaller files do not matter for the question whether there is room. */
const smallest = '+8191k';

/** Of the sparse files of one volume: that many are looked at, and each of them is half a hole at least. */
const mostFiles = 10_000;

export interface Look {
	/** Modified, or its inode changed; undefined: none did. Rounded up. */
	newest: Date | undefined;
	/** The bytes that each of them takes, by its path from the folder's root. */
	sparse: ReadonlyMap<string, number>;
	/** What restic (0.19.1) does not give back, without a word: the first by its name of each sort. */
	lost: Readonly<Partial<Record<'links' | 'times', string>>>;
	/** Folders at its root in which a file system or its tools keep snapshots of all of it. */
	snapshots: readonly string[];
}

/** As snapper, NetApp, ZFS, Synology and CephFS call them. */
const snapshotFolders = ['.snapshots', '.snapshot', '.zfs', '#snapshot', '.snap'];

/** Names of one FIFO, link or device come back as several. */
const linked = ['!', '-type', 'f', '!', '-type', 'd', '-links', '+1', '-printf', 'l %P\\0'];

/** It counts nanoseconds in 64 bits: what is beyond comes back as another time. What is gone by now is newer than nothing, and has no links. */
const timed = ['(', '-newermt', '2262-04-11', '-o', '!', '-newermt', '1677-09-22', '-links', '+0', ')', '-printf', 'y %P\\0'];

const first = (one: string | undefined, other: string): string => (one === undefined || other < one ? other : one);

/** For people. @param exclude patterns from the root */
export const doublesOf = (source: string, snapshots: readonly string[], exclude: readonly string[]): string[] =>
	snapshots
		.filter(name => !exclude.some(pattern => [`/${name}`, `/**/${name}`].includes(fromRoot(pattern))))
		.map(
			name =>
				`\`${source}\`: what is in \`${name}\`, snapshots of all of it by the look of it, is backed up once more each; \`${label('exclude')}: ${name}\` leaves them out`,
		);

/** For people. */
export const lossesOf = (source: string, {links, times}: Look['lost']): string[] => [
	...(links === undefined
		? []
		: [
				`\`${source}\`: several names of one FIFO, link or device (\`${links}\`) come back as several of them; only those of files stay together`,
			]),
	...(times === undefined ? [] : [`\`${source}\`: times before 1678 and after 2262 (\`${times}\`) do not come back as they are`]),
];

/** @param since when the files were written back that were read first */
export async function look({worker, signal}: Pick<SourceContext, 'worker' | 'signal'>, path: string, since: Date): Promise<Look> {
	const sizes = ['(', '-size', smallest, '-printf', 's %s %b %P\\0', '-o', '-true', ')'];
	const times = ['(', ...newer(since, '-o'), ')', '-printf', 't %T@ %C@\\0'];
	const doubles = [
		'(',
		'-type',
		'd',
		'(',
		...snapshotFolders.flatMap((name, index) => [...(index === 0 ? [] : ['-o']), '-path', `${escapePattern(path)}/${name}`]),
		')',
		'-printf',
		'd %P\\0',
		')',
	];
	const look = ['(', '-type', 'f', ...sizes, ...times, ')', ',', '(', ...linked, ')', ',', '(', ...timed, ')', ',', ...doubles];
	const find = await worker({argv: ['find', path, ...look], signal});
	const sparse = new Map<string, number>();
	const lost: {links?: string; times?: string} = {};
	const snapshots: string[] = [];
	let newestMs = Number.NEGATIVE_INFINITY;
	for await (const entries of foundBy(find)) {
		for (const entry of entries) {
			const [, size, blocks, file] = /^s (\d+) (\d+) (.*)$/s.exec(entry) ?? [];
			const [, modified, changed] = /^t (-?[\d.]+) (-?[\d.]+)$/.exec(entry) ?? [];
			const bytes = Number(blocks) * 512;
			if (file !== undefined && file !== '' && bytes < Number(size) / 2 && sparse.size < mostFiles) {
				sparse.set(file, bytes);
			}

			const [, sort, name = ''] = /^([lyd]) (.*)$/s.exec(entry) ?? [];
			if (sort === 'd') {
				snapshots.push(name);
			} else if (sort !== undefined) {
				const of = sort === 'l' ? 'links' : 'times';
				lost[of] = first(lost[of], name);
			}

			if (modified !== undefined) {
				newestMs = Math.max(newestMs, Number(modified) * 1000, Number(changed) * 1000);
			}
		}
	}

	await assertSearched(find, path);

	return {
		newest: newestMs === Number.NEGATIVE_INFINITY ? undefined : new Date(Math.ceil(newestMs) + 1),
		sparse,
		lost,
		snapshots: snapshots.sort(),
	};
}
