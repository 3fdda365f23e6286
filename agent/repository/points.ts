/** Restore points as the repository has them: a manifest, and every snapshot that it counts. The repository alone is asked, so a new agent sees them too. */

import {isAhead} from '../../base/clock.ts';
import {lastLines, printedBy} from '../../base/command.ts';
import {RunError} from '../../base/errors.ts';
import type {Restic, Snapshot} from '../restic/restic.ts';
import {type Manifest, manifest as manifestSchema} from './manifest.ts';
import {manifestPath, sourceOfTag, tagValue, targetTag} from './names.ts';
import {type Filed, filedBy, type Ownership} from './owner.ts';
import {type Placed, placedOf} from './placed.ts';

export interface Point extends Filed {
	/** As its snapshots name the target: since then it may have been given another name. */
	filedAs: string;
	/** The manifest's own snapshot. */
	manifest: string;
	sources: Array<{source: string; snapshot: string; bytes: number}>;
	/** Of a target that Swarm runs. */
	placed?: Placed;
}

/** What of a snapshot says which point it is of, and how large. */
export type Marked = Pick<Snapshot, 'id' | 'time' | 'host' | 'tags' | 'bytes'>;

export const holdsManifest = (snapshot: Pick<Snapshot, 'tags'>): boolean => tagValue(snapshot.tags, 'manifest') !== undefined;

/** Of whichever agents, newest first. @throws {RepositoryError} */
export async function listPoints(restic: Restic, target?: string): Promise<Point[]> {
	return pointsOf(await restic.snapshots(['holdfast', ...(target === undefined ? [] : [targetTag(target)])]));
}

/** Of this agent, newest first; each under the name that its target has now. @throws {RepositoryError} */
export const ownPoints = async (restic: Restic, ownership: Ownership, target: string): Promise<Point[]> =>
	(await allPoints(restic, ownership, target)).filter(point => ownership.isOurs({...point, target: point.filedAs}));

/** Of all agents, newest first: its own under the name that its target has now, those of others as they are filed. @throws {RepositoryError} */
export async function allPoints(restic: Restic, ownership: Ownership, target?: string): Promise<Point[]> {
	const names = target === undefined ? [undefined] : ownership.namesOf(target);
	const found: Point[] = [];
	for (const name of names) {
		for (const point of await listPoints(restic, name)) {
			found.push(ownership.isOurs(point) ? namedNow(point, ownership) : point);
		}
	}

	return found.filter(point => target === undefined || point.target === target).sort(newestFirst);
}

/** Pure: those of this agent, each under the name that its target has now. */
export const oursAmong = (points: readonly Point[], ownership: Ownership): Point[] =>
	points.filter(ownership.isOurs).map(point => namedNow(point, ownership));

/** The same one where the name is: there may be tens of thousands. */
function namedNow(point: Point, {targetOf}: Pick<Ownership, 'targetOf'>): Point {
	const target = targetOf(point);
	return target === point.target ? point : {...point, target};
}

/** The newest, and none of a time that is still to come where there is another. @param points newest first */
export const newestOf = (points: readonly Point[]): Point | undefined => points.find(({time}) => !isAhead(time, Date.now())) ?? points[0];

const newestFirst = (a: Point, b: Point): number => b.time.getTime() - a.time.getTime() || (a.id < b.id ? 1 : -1);

/** Pure: the points among the snapshots of a repository. */
export function pointsOf(snapshots: readonly Marked[]): Point[] {
	const ofRun = new Map<string, Marked[]>();
	for (const snapshot of snapshots) {
		const key = ['agent', 'run', 'target'].map(name => tagValue(snapshot.tags, name)).join(' ');
		const others = ofRun.get(key);
		if (others === undefined) {
			ofRun.set(key, [snapshot]);
		} else {
			others.push(snapshot);
		}
	}

	return [...ofRun.values()].flatMap(group => pointOf(group) ?? []).sort(newestFirst);
}

function pointOf(snapshots: readonly Marked[]): Point | undefined {
	const published = snapshots.find(holdsManifest);
	const filed = published && filedBy(published);
	if (published === undefined || filed === undefined || filed.id === '' || filed.target === '') {
		return undefined;
	}

	const sources = snapshots
		.flatMap(snapshot => {
			const tag = snapshot.tags.find(candidate => candidate.startsWith('source:'));
			return tag === undefined ? [] : [{source: sourceOfTag(tag), snapshot: snapshot.id, bytes: snapshot.bytes}];
		})
		.sort((a, b) => (a.source < b.source ? -1 : 1));
	const placed = placedOf(published.tags);
	return sources.length === Number(tagValue(published.tags, 'manifest'))
		? {...filed, filedAs: filed.target, manifest: published.id, sources, ...(placed && {placed})}
		: undefined;
}

/** @throws when the manifest cannot be read, or does not name the snapshots that the repository has */
export async function readManifest(restic: Restic, point: Point): Promise<Manifest> {
	const dumped = await restic.dump(point.manifest, manifestPath(point.filedAs));
	const [content, {exitCode, stderr}] = await Promise.all([printedBy(dumped), dumped.done]);
	if (exitCode !== 0) {
		throw new RunError(`the manifest of point \`${point.id}\` cannot be read: ${lastLines(stderr)}`);
	}

	const parsed = manifestSchema.parse(JSON.parse(content));
	const missing = parsed.sources.filter(({snapshot}) => !point.sources.some(source => source.snapshot === snapshot));
	if (missing.length > 0 || parsed.run !== point.id || parsed.target !== point.filedAs) {
		throw new RunError(`the manifest of point \`${point.id}\` does not fit its snapshots`, {
			hint: 'choose another point, and run `restic check`',
		});
	}

	return parsed;
}
