/** What `--only` names: sources of a point, or single files and folders in its volumes. Pure. */
import type {Manifest, ManifestSource} from '../../repository/manifest.ts';
import {pathIn} from '../../sources/inside.ts';

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

/** Without what is inside of another. */
const outermost = (paths: readonly string[]): string[] =>
	[...new Set(paths)].filter(path => !paths.some(other => path.startsWith(`${other}/`)));
