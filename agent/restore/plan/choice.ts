/** What `--only` names: sources of a point, or single files and folders in its volumes. Pure. */
import type {Manifest, ManifestSource} from '../../repository/manifest.ts';
import {findKind} from '../../sources/kinds.ts';

export interface Chosen {
	stored: ManifestSource;
	/** From the volume's root, each beginning with a slash; none: all of the source. */
	paths?: readonly string[] | undefined;
}

/** @param only empty: everything */
export function choose(manifest: Manifest, only: readonly string[]): {chosen: Chosen[]; unknown: string[]} {
	if (only.length === 0) {
		return {chosen: manifest.sources.map(stored => ({stored})), unknown: []};
	}

	const unknown: string[] = [];
	const chosen = new Map<ManifestSource, readonly string[] | undefined>();
	for (const name of only) {
		const whole = manifest.sources.find(({source}) => source === name);
		const [stored, path] = whole === undefined ? (pathIn(manifest, name) ?? []) : [whole];
		if (stored === undefined) {
			unknown.push(name);
		} else if (path === undefined) {
			chosen.set(stored, undefined);
		} else if (!chosen.has(stored) || chosen.get(stored) !== undefined) {
			chosen.set(stored, outermost([...(chosen.get(stored) ?? []), path]));
		}
	}

	return {chosen: [...chosen].map(([stored, paths]) => ({stored, paths})), unknown};
}

/** The volume whose name a text begins with, and the path behind it; nothing for a path that could lead elsewhere. */
function pathIn({sources}: Manifest, text: string): [ManifestSource, string] | undefined {
	const [volume] = sources
		.filter(({kind, source}) => findKind(kind)?.isTree && text.startsWith(`${bare(source)}/`))
		.sort((a, b) => b.source.length - a.source.length);
	const path = volume && text.slice(bare(volume.source).length).replace(/\/$/, '');
	const isPlain = path?.split('/').every((part, index) => (index === 0 ? part === '' : !['', '.', '..'].includes(part)));
	// Bytes that are not UTF-8 reach nobody unharmed: a pattern made of them would match other files, too.
	return volume !== undefined && path !== undefined && path !== '' && isPlain && !/[\0\uFFFD]/.test(path) ? [volume, path] : undefined;
}

const bare = (source: string): string => source.replace(/\/$/, '');

/** Without what is inside of another. */
const outermost = (paths: readonly string[]): string[] =>
	[...new Set(paths)].filter(path => !paths.some(other => path.startsWith(`${other}/`)));
