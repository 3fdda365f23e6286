/** What differs between two points. */
import {posix} from 'node:path';
import type {Difference, SourceDifference} from '../../base/shapes/browsing.ts';
import type {Manifest, ManifestSource} from '../repository/manifest.ts';
import type {Restic} from '../restic/restic.ts';
import {pathOf} from './place.ts';

interface Pair {
	source: string;
	from: ManifestSource | undefined;
	to: ManifestSource | undefined;
}

/** @throws {RepositoryError} */
export async function diff(restic: Pick<Restic, 'compare'>, from: Manifest, to: Manifest, limit: number): Promise<Difference> {
	const names = new Set([...from.sources, ...to.sources].map(({source}) => source));
	const sources: SourceDifference[] = [];
	for (const source of names) {
		const of = ({sources}: Manifest) => sources.find(stored => stored.source === source);
		sources.push(await differenceOf(restic, {source, from: of(from), to: of(to)}, limit));
	}

	return {from: headOf(from), to: headOf(to), sources};
}

const headOf = ({run: point, target, time}: Manifest) => ({point, target, time});

const changeOf = (modifier: string): 'added' | 'removed' | 'changed' =>
	modifier === '+' ? 'added' : modifier === '-' ? 'removed' : 'changed';

async function differenceOf(restic: Pick<Restic, 'compare'>, {source, from, to}: Pair, limit: number): Promise<SourceDifference> {
	const found: SourceDifference = {
		source,
		bytes: {from: from?.bytes ?? null, to: to?.bytes ?? null},
		added: 0,
		removed: 0,
		changed: 0,
		entries: [],
	};
	if (from === undefined || to === undefined) {
		return found;
	}

	// A source may be a file: the folders that hold it are compared, and hold nothing else.
	const folderOf = ({snapshot, path}: ManifestSource) => ({snapshot, folder: posix.dirname(path)});
	const root = `/${posix.basename(to.path)}`;
	await restic.compare({
		from: folderOf(from),
		to: folderOf(to),
		onChange({path, modifier}) {
			const change = changeOf(modifier);
			found[change]++;
			if (found.entries.length < limit) {
				found.entries.push({path: pathOf(source, path.slice(root.length)), change});
			}
		},
	});
	return found;
}
