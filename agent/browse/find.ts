/** In which points something is, and which versions of it. */
import {UsageError} from '../../base/errors.ts';
import {quote} from '../../base/reading/quote.ts';
import type {Found, Version} from '../../base/shapes/browsing.ts';
import {sourcePath, targetTag} from '../repository/names.ts';
import type {Point} from '../repository/points.ts';
import type {Node, Restic} from '../restic/restic.ts';
import {kinds} from '../sources/kinds.ts';
import {pathOf} from './place.ts';

interface Wanted {
	pattern: string;
	ignoreCase: boolean;
	limit: number;
}

/** @param points those that are looked into, newest first @throws {UsageError | RepositoryError} */
export async function find(restic: Pick<Restic, 'search'>, points: readonly Point[], {pattern, limit, ignoreCase}: Wanted): Promise<Found> {
	const patterns = patternsOf(pattern);
	if (points.length === 0) {
		return {found: [], isCut: false};
	}

	const held = new Map(points.flatMap(point => point.sources.map(({source, snapshot}) => [snapshot, {point, source}] as const)));
	const versions = new Map<string, Version>();
	let isCut = false;
	await restic.search({
		tags: [...new Set(points.map(({filedAs}) => filedAs))].map(name => ['holdfast', targetTag(name)]),
		patterns,
		ignoreCase,
		onMatches(snapshot, matches) {
			const {point, source} = held.get(snapshot) ?? {};
			if (point === undefined || source === undefined) {
				return;
			}

			const root = sourcePath(point.filedAs, source);
			for (const {path, type, size, modified = null} of outermost(matches)) {
				const entry = {source, path: pathOf(source, path.slice(root.length)), type, size, modified};
				const key = JSON.stringify([point.target, ...Object.values(entry)]);
				const known = versions.get(key);
				const seen = {point: point.id, time: point.time.toISOString()};
				if (known !== undefined) {
					versions.set(key, {...known, points: known.points + 1, ...widened(known, seen)});
				} else if (versions.size < limit) {
					versions.set(key, {target: point.target, ...entry, points: 1, oldest: seen, newest: seen});
				} else {
					isCut = true;
				}
			}
		},
	});
	return {found: [...versions.values()].sort(byPath), isCut};
}

/**
 * Below the folder of each kind: what lies above it are names of targets, and whatever lies in a folder that matches would match with it.
 * @throws {UsageError}
 */
function patternsOf(pattern: string): string[] {
	const parts = pattern.replace(/\/+$/, '').split('/').filter(Boolean);
	if (parts.length === 0 || pattern.includes('\0')) {
		throw new UsageError(`the pattern must be a name, or a path, got ${quote(pattern)}`, {
			hint: "for example 'report*.pdf', or '/data/**/*.png'",
		});
	}

	const below = (pattern.startsWith('/') ? '/' : '/**/') + parts.join('/');
	return kinds.map(({kind}) => `/**/${kind}${below}`);
}

/** What is in a folder that is shown is not shown again. */
function outermost(matches: readonly Node[]): Node[] {
	const shown = new Set<string>();
	return matches.filter(({path}) => {
		const parts = path.split('/');
		const isInside = parts.some((_, index) => index > 0 && shown.has(parts.slice(0, index).join('/')));
		shown.add(path);
		return !isInside;
	});
}

type Seen = Version['newest'];

const widened = ({oldest, newest}: Version, seen: Seen): Pick<Version, 'oldest' | 'newest'> => ({
	oldest: seen.time < oldest.time ? seen : oldest,
	newest: seen.time > newest.time ? seen : newest,
});

const byPath = (a: Version, b: Version): number =>
	compare(a.target, b.target) || compare(a.path, b.path) || compare(a.source, b.source) || compare(b.newest.time, a.newest.time);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
