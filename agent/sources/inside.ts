/** Single files and folders of what a point holds, as people name them: `volume:/data/uploads/a.png`. Pure. */
import type {Manifest, ManifestSource} from '../repository/manifest.ts';
import {findKind} from './kinds.ts';

/** The tree of files whose name a text begins with, and the path behind it, with a slash in front; nothing for a path that could lead elsewhere. */
export function pathIn({sources}: Pick<Manifest, 'sources'>, text: string): [ManifestSource, string] | undefined {
	const [volume] = sources
		.filter(({kind, source}) => findKind(kind)?.isTree && text.startsWith(`${bare(source)}/`))
		.sort((a, b) => b.source.length - a.source.length);
	const path = volume && text.slice(bare(volume.source).length).replace(/\/$/, '');
	const isPlain = path?.split('/').every((part, index) => (index === 0 ? part === '' : !['', '.', '..'].includes(part)));
	// Bytes that are not UTF-8 reach nobody unharmed: a pattern made of them would match other files, too.
	return volume !== undefined && path !== undefined && path !== '' && isPlain && !/[\0\uFFFD]/.test(path) ? [volume, path] : undefined;
}

const bare = (source: string): string => source.replace(/\/$/, '');
