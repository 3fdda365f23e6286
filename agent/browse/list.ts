/** What a point holds, or a folder in it. */
import {NotFoundError} from '../../base/errors.ts';
import {quote} from '../../base/reading/quote.ts';
import type {Entry, Listing} from '../../base/shapes/browsing.ts';
import type {Manifest} from '../repository/manifest.ts';
import type {Restic} from '../restic/restic.ts';
import {findKind} from '../sources/kinds.ts';
import {pathOf, placeOf} from './place.ts';

interface Wanted {
	path: string | undefined;
	recursive: boolean;
	limit: number;
}

/** @throws {NotFoundError | UsageError | RepositoryError} */
export async function list(restic: Pick<Restic, 'look'>, manifest: Manifest, {path, recursive, limit}: Wanted): Promise<Listing> {
	const {run: point, target, time} = manifest;
	if (path === undefined) {
		return {target, point, time, entries: sourcesOf(manifest), more: 0};
	}

	const {stored, below} = placeOf(manifest, path);
	const start = stored.path + below;
	const entries: Entry[] = [];
	let isThere = false;
	let more = 0;
	await restic.look({
		snapshot: stored.snapshot,
		path: start,
		recursive,
		onNode(node) {
			isThere = true;
			if (node.path === start && node.type === 'dir') {
				return;
			}

			if (entries.length < limit) {
				const {type, size, modified = null} = node;
				entries.push({source: stored.source, path: pathOf(stored.source, node.path.slice(stored.path.length)), type, size, modified});
			} else {
				more++;
			}
		},
	});
	if (!isThere) {
		throw missing(manifest, path);
	}

	return {target, point, time, entries, more};
}

const sourcesOf = ({sources}: Manifest): Entry[] =>
	sources.map(({source, kind, bytes}) => ({
		source,
		path: pathOf(source, ''),
		type: findKind(kind)?.isTree ? 'dir' : 'file',
		size: bytes,
		modified: null,
	}));

export const missing = ({run, target}: Pick<Manifest, 'run' | 'target'>, path: string): NotFoundError =>
	new NotFoundError(`point \`${run}\` of \`${target}\` has no ${quote(path)}`, {
		hint: `\`holdfast ls ${target}\` shows what is there, \`holdfast find PATTERN\` where it is in other points`,
	});
