/** Some points are copied together: their snapshots first, then each one's manifest, with the ids that its snapshots have there. */
import {join} from 'node:path';
import {explain, RepositoryError} from '../../base/errors.ts';
import type {Tell} from '../../base/events.ts';
import type {Manifest} from '../repository/manifest.ts';
import {type Point, readManifest} from '../repository/points.ts';
import {publish} from '../repository/press.ts';
import type {CopyRepository, NamedRepository} from '../repository/repositories.ts';
import type {Restic, Snapshot} from '../restic/restic.ts';
import {counterparts} from './counterparts.ts';

/** Points that one restic copies: it saves their snapshots at its end. */
const batchSize = 20;

export interface CopyProgress {
	copied: number;
	removed: number;
	pruned: boolean;
	points: number | null;
	failures: string[];
}

export interface Copying {
	from: NamedRepository;
	to: CopyRepository;
	/** The copy's restic, in the worker. */
	into: Restic;
	/** Where what is published is written first. */
	folder: string;
	progress: CopyProgress;
	/** All of the primary. */
	here: readonly Snapshot[];
	signal: AbortSignal;
	tell: Tell;
}

/** Pure: the newest of each target first, so that they are safe if the run ends early; then the rest, the newer ones first. */
export function batchesOf(points: readonly Point[]): Point[][] {
	const seen = new Set<string>();
	const newest = points.filter(({target}) => !seen.has(target) && seen.add(target));
	const rest = points.filter(point => !newest.includes(point));
	const ordered = [
		newest,
		...Array.from({length: Math.ceil(rest.length / batchSize)}, (_, index) => rest.slice(index * batchSize, (index + 1) * batchSize)),
	];
	return ordered.filter(({length}) => length > 0);
}

/** One point that cannot be read must not keep the others. */
export async function copyBatch(copying: Copying, batch: readonly Point[]): Promise<void> {
	const {from, to, into, progress, signal} = copying;
	const {limitUpload, limitDownload} = to.copy;
	try {
		const snapshots = batch.flatMap(({sources}) => sources.map(({snapshot}) => snapshot));
		await into.copy({from: from.repository, snapshots, limitUpload, limitDownload, signal});
	} catch (error) {
		endUnlessOfPoint(error, signal);
		if (batch.length === 1) {
			progress.failures.push(`point ${batch[0]?.id} of \`${batch[0]?.target}\`: ${explain(error)}`);
			return;
		}

		for (const point of batch) {
			await copyBatch(copying, [point]);
		}

		return;
	}

	const there = await into.snapshots(['holdfast'], signal);
	for (const point of batch) {
		await publishCopy(copying, point, there).catch((error: unknown) => {
			endUnlessOfPoint(error, signal);
			progress.failures.push(`point ${point.id} of \`${point.target}\`: ${explain(error)}`);
		});
	}
}

/** What concerns a repository as a whole ends the run. */
function endUnlessOfPoint(error: unknown, signal: AbortSignal): void {
	signal.throwIfAborted();
	if (error instanceof RepositoryError && error.problem !== 'failed') {
		throw error;
	}
}

async function publishCopy(
	{from, to, into, folder, progress, here, signal, tell}: Copying,
	point: Point,
	there: readonly Snapshot[],
): Promise<void> {
	const manifest = await readManifest(from.restic(), point);
	const {ids, extra} = counterparts(point, here, there);
	if (extra.length > 0) {
		await into.forget(extra, signal);
	}

	tell({type: 'step', step: 'publish', subject: `${point.target} ${point.id}`});
	await publish(to.restic(), translated(manifest, ids), join(folder, to.name), signal);
	progress.copied += 1;
	progress.points = (progress.points ?? 0) + 1;
}

const translated = (manifest: Manifest, ids: ReadonlyMap<string, string>): Manifest => ({
	...manifest,
	sources: manifest.sources.map(source => ({...source, snapshot: ids.get(source.snapshot) ?? source.snapshot})),
});
