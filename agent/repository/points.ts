/** Restore points as the repository has them: a manifest, and every snapshot that it counts. The repository alone is asked, so a new agent sees them too. */

import {mkdir, open, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {text} from 'node:stream/consumers';
import {lastLines} from '../../base/command.ts';
import {NotFoundError, RunError} from '../../base/errors.ts';
import type {Restic, Snapshot} from '../restic/restic.ts';
import {type Manifest, manifest as manifestSchema} from './manifest.ts';
import {runTag, sourceOfTag, targetTag} from './names.ts';

export interface Point {
	/** The run that published it. */
	id: string;
	target: string;
	time: Date;
	/** The manifest's own snapshot. */
	manifest: string;
	sources: Array<{source: string; snapshot: string; bytes: number}>;
}

/** `manifest:<number of sources>`: a point that has lost a snapshot is not listed. */
const manifestTag = (sources: number) => `manifest:${sources}`;

const manifestPath = (target: string) => `/${target}/manifest.json`;

function tagValue({tags}: Snapshot, name: string): string | undefined {
	return tags.find(tag => tag.startsWith(`${name}:`))?.slice(name.length + 1);
}

export const holdsManifest = (snapshot: Snapshot): boolean => tagValue(snapshot, 'manifest') !== undefined;

/** Newest first. @throws {RepositoryError} */
export async function listPoints(restic: Restic, target?: string): Promise<Point[]> {
	return pointsOf(await restic.snapshots(['holdfast', ...(target === undefined ? [] : [targetTag(target)])]));
}

/** Pure: the points among the snapshots of a repository. */
export function pointsOf(snapshots: readonly Snapshot[]): Point[] {
	const ofRun = new Map<string, Snapshot[]>();
	for (const snapshot of snapshots) {
		const key = `${tagValue(snapshot, 'run')} ${tagValue(snapshot, 'target')}`;
		const others = ofRun.get(key);
		if (others === undefined) {
			ofRun.set(key, [snapshot]);
		} else {
			others.push(snapshot);
		}
	}

	return [...ofRun.values()]
		.flatMap(group => pointOf(group) ?? [])
		.sort((a, b) => b.time.getTime() - a.time.getTime() || (a.id < b.id ? 1 : -1));
}

function pointOf(snapshots: readonly Snapshot[]): Point | undefined {
	const published = snapshots.find(holdsManifest);
	const id = published && tagValue(published, 'run');
	const target = published && tagValue(published, 'target');
	if (published === undefined || id === undefined || target === undefined) {
		return undefined;
	}

	const sources = snapshots
		.flatMap(snapshot => {
			const tag = snapshot.tags.find(candidate => candidate.startsWith('source:'));
			return tag === undefined ? [] : [{source: sourceOfTag(tag), snapshot: snapshot.id, bytes: snapshot.bytes}];
		})
		.sort((a, b) => (a.source < b.source ? -1 : 1));
	return sources.length === Number(tagValue(published, 'manifest'))
		? {id, target, time: published.time, manifest: published.id, sources}
		: undefined;
}

/** `2026-11-21T03:00`, with seconds and a zone if need be; without a zone, the agent's own. Undefined for what is no time. */
export function readMoment(text: string): Date | undefined {
	const isTime = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?$/.test(text);
	const moment = isTime ? new Date(text) : undefined;
	return moment === undefined || Number.isNaN(moment.getTime()) ? undefined : moment;
}

/** @param id `latest`, a time (then the newest point that is not after it), or a point's id: that may be of another target @throws {NotFoundError} */
export async function findPoint(restic: Restic, target: string, id: string): Promise<Point> {
	const until = readMoment(id);
	const isId = id !== 'latest' && until === undefined;
	const all = await listPoints(restic, isId ? undefined : target);
	const points = all.filter(candidate => candidate.target === target);
	const [point] = isId
		? [...points, ...all].filter(candidate => candidate.id === id)
		: points.filter(({time}) => until === undefined || time <= until);
	if (point === undefined) {
		throw new NotFoundError(
			id === 'latest'
				? `\`${target}\` has no restore point`
				: `\`${target}\` has no restore point ${until === undefined ? '' : 'by '}\`${id}\``,
			{
				hint: points.length === 0 ? `make one: holdfast backup ${target}` : `holdfast points ${target} lists them`,
			},
		);
	}

	return point;
}

/** @throws when the manifest cannot be read, or does not name the snapshots that the repository has */
export async function readManifest(restic: Restic, point: Point): Promise<Manifest> {
	const dumped = await restic.dump(point.manifest, manifestPath(point.target));
	const [content, {exitCode, stderr}] = await Promise.all([text(dumped.stdout), dumped.done]);
	if (exitCode !== 0) {
		throw new RunError(`the manifest of point \`${point.id}\` cannot be read: ${lastLines(stderr)}`);
	}

	const parsed = manifestSchema.parse(JSON.parse(content));
	const missing = parsed.sources.filter(({snapshot}) => !point.sources.some(source => source.snapshot === snapshot));
	if (missing.length > 0 || parsed.run !== point.id || parsed.target !== point.target) {
		throw new RunError(`the manifest of point \`${point.id}\` does not fit its snapshots`, {
			hint: 'choose another point, and run `restic check`',
		});
	}

	return parsed;
}

/** A repository that does not answer either keeps its secret: the run failed, and its point, if there is one, is listed all the same. */
const askingMs = 30_000;

/**
 * After this the point exists; before, it does not. restic may be killed when it has saved the manifest and has not said so yet: then the
 * repository is asked.
 */
export async function publish(restic: Restic, manifest: Manifest, folder: string, signal: AbortSignal): Promise<void> {
	try {
		await storeManifest(restic, manifest, folder, signal);
	} catch (error) {
		const tags = [runTag(manifest.run), targetTag(manifest.target)];
		const saved = await restic.snapshots(tags, AbortSignal.timeout(askingMs)).catch(() => []);
		if (pointsOf(saved).length === 0) {
			throw error;
		}
	}
}

/** It is whole on disk before restic reads it. */
async function storeManifest(restic: Restic, manifest: Manifest, folder: string, signal: AbortSignal): Promise<void> {
	const file = join(folder, `${manifest.run}.json`);
	await mkdir(folder, {recursive: true, mode: 0o700});
	const handle = await open(file, 'w', 0o600);
	try {
		await handle.writeFile(JSON.stringify(manifest));
		await handle.sync();
		await handle.close();
		await restic.backupStream({
			filename: manifestPath(manifest.target),
			command: ['cat', '--', file],
			tags: ['holdfast', runTag(manifest.run), targetTag(manifest.target), manifestTag(manifest.sources.length)],
			time: new Date(manifest.time),
			host: manifest.host,
			signal,
		});
	} finally {
		await rm(file, {force: true});
	}
}
