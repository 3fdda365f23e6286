/** A look at all files of a volume after they were read, in one walk: what is sparse, and how new a file is that may have changed meanwhile. */
import type {SourceContext} from '../source.ts';
import {newer} from './changes.ts';
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
}

/** @param since when the files were written back that were read first */
export async function look({worker, signal}: Pick<SourceContext, 'worker' | 'signal'>, path: string, since: Date): Promise<Look> {
	const sizes = ['(', '-size', smallest, '-printf', 's %s %b %P\\0', '-o', '-true', ')'];
	const times = ['(', ...newer(since, '-o'), ')', '-printf', 't %T@ %C@\\0'];
	const find = await worker({argv: ['find', path, '-type', 'f', ...sizes, ...times], signal});
	const sparse = new Map<string, number>();
	let newestMs = Number.NEGATIVE_INFINITY;
	for await (const entries of foundBy(find)) {
		for (const entry of entries) {
			const [, size, blocks, file] = /^s (\d+) (\d+) (.*)$/s.exec(entry) ?? [];
			const [, modified, changed] = /^t (-?[\d.]+) (-?[\d.]+)$/.exec(entry) ?? [];
			const bytes = Number(blocks) * 512;
			if (file !== undefined && file !== '' && bytes < Number(size) / 2 && sparse.size < mostFiles) {
				sparse.set(file, bytes);
			}

			if (modified !== undefined) {
				newestMs = Math.max(newestMs, Number(modified) * 1000, Number(changed) * 1000);
			}
		}
	}

	await assertSearched(find, path);

	return {newest: newestMs === Number.NEGATIVE_INFINITY ? undefined : new Date(Math.ceil(newestMs) + 1), sparse};
}
