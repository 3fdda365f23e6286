/**
 * A copy run, from what is missing in the copy to its points there. The snapshots of a point are copied first; then its manifest is written
 * anew, with the ids that its snapshots have there. So nothing partial is ever a point of the copy, and the copy is a repository like any
 * other: given to an agent as its primary, it can be read, restored from and proven in the same ways.
 */

import {join} from 'node:path';
import {explain, RepositoryError, RunError} from '../../base/errors.ts';
import {type Tell, warner} from '../../base/events.ts';
import {type CopyResult, repositoryTarget} from '../../base/results.ts';
import {forgetPoints} from '../keep/forgetting.ts';
import type {Manifest} from '../repository/manifest.ts';
import {runOfTag, runTag, sourceTag, targetTag} from '../repository/names.ts';
import {deedsOf, filedBy} from '../repository/owner.ts';
import {holdsManifest, oursAmong, type Point, pointsOf, publish, readManifest} from '../repository/points.ts';
import type {CopyRepository, NamedRepository} from '../repository/repositories.ts';
import type {Restic, Snapshot} from '../restic/restic.ts';
import {withWorkers} from '../runs/shell.ts';
import type {Workshop} from '../runs/workshop.ts';

export interface CopyRun {
	run: string;
	startedAt: Date;
	from: NamedRepository;
	to: CopyRepository;
	/**
	 * Of the points of the primary, those that belong in the copy. `there`: what is there already.
	 * @param labelsOf the labels that the containers of a point had
	 */
	choose: (points: readonly Point[], there: readonly Point[], labelsOf: LabelsOf) => Promise<readonly Point[]>;
	/** Of the points that the copy has, those that no rule keeps there. */
	retire: (there: readonly Point[]) => Promise<readonly Point[]>;
	/** Also remove the data that nothing there needs any more: it takes its time. */
	prune: boolean;
	/** A run of this agent that ended; never one of somebody else. */
	isOver: (run: string) => boolean;
	signal: AbortSignal;
	tell: Tell;
}

export type LabelsOf = (point: Point) => Promise<ReadonlyArray<Readonly<Record<string, string>>>>;

/** Maintenance of either repository may take its time, and so may a copy. */
const lockPatienceSeconds = 3600;

/** Points that one restic copies: it saves their snapshots at its end. */
const batchSize = 20;

interface Progress {
	copied: number;
	removed: number;
	pruned: boolean;
	points: number | null;
	failures: string[];
}

/** Never rejects: whatever happens is the outcome. */
export async function copyPoints(workshop: Workshop, options: CopyRun): Promise<CopyResult> {
	const {run, startedAt, to} = options;
	const progress: Progress = {copied: 0, removed: 0, pruned: false, points: null, failures: []};
	const ended = await withWorkers(workshop, options, async workforce => {
		const worker = await workforce.repository([], 'read');
		await work(workshop, options, {into: to.restic(worker.run, {lockPatienceSeconds, onTrouble: warner(options.tell)}), progress});
	});
	const {copied, removed, pruned, points} = progress;
	const failures = [...progress.failures, ...ended.map(explain)];
	return {
		run,
		target: repositoryTarget(to.name),
		outcome: failures.length === 0 ? 'success' : copied > 0 ? 'partial' : 'failed',
		copied,
		removed,
		pruned,
		points,
		startedAt: startedAt.toISOString(),
		durationSeconds: (Date.now() - startedAt.getTime()) / 1000,
		...(failures.length === 0 ? {} : {error: [...new Set(failures)].join('; ')}),
	};
}

interface Hands {
	/** The copy's restic, in the worker. */
	into: Restic;
	progress: Progress;
}

async function work(workshop: Workshop, options: CopyRun, {into, progress}: Hands): Promise<void> {
	const {from, to, choose, signal, tell} = options;
	tell({type: 'step', step: 'open', subject: from.name});
	await from.open();
	tell({type: 'step', step: 'open', subject: to.name});
	if (to.access() === 'read-only') {
		throw new RepositoryError('refused', `copy \`${to.name}\` is read-only: nothing can be copied to it`, {
			hint: 'mount it for writing; or, where it is only read on purpose, `access: read-only` in its section ends its schedule',
		});
	}

	await to.ensure(into, signal);
	const ownership = workshop.ownership();
	const allIn = async (restic: Restic) => restic.snapshots(['holdfast'], signal);
	const ours = (snapshots: readonly Snapshot[]) => snapshots.filter(snapshot => ownership.isOurs(filedBy(snapshot)));
	const pointsAmong = (snapshots: readonly Snapshot[]) => oursAmong(pointsOf(snapshots), ownership);
	const [all, allThere] = [await allIn(from.restic()), await allIn(into)];
	await copyDeeds(options, {all, allThere, into});
	const here = ours(all);
	const there = pointsAmong(allThere);
	const points = pointsAmong(here);
	const labelsOf: LabelsOf = async point => (await readManifest(from.restic(), point)).sources.map(({container}) => container.labels);
	const missing = missingOf(await choose(points, there, labelsOf), there);
	progress.points = there.length;
	for (const batch of batchesOf(missing)) {
		signal.throwIfAborted();
		const present = ours(await allIn(from.restic()));
		const still = batch.filter(({id}) => pointsOf(present).some(point => point.id === id));
		tell({type: 'step', step: 'copy', subject: batch.length === 1 ? 'one point' : `${batch.length} points`});
		await copyBatch({workshop, options, into, progress, here: present}, still);
	}

	if (progress.failures.length === 0) {
		await tidy(options, {into, progress}, {points, snapshots: ours(await allIn(into)), pointsAmong});
	}
}

/** Who took over what stands there, too: an agent that has nothing but the copy finds it. */
async function copyDeeds(
	{from, to, signal}: CopyRun,
	{all, allThere, into}: {all: readonly Snapshot[]; allThere: readonly Snapshot[]; into: Restic},
): Promise<void> {
	const deedIn = (snapshot: Snapshot) => deedsOf([snapshot]).map(deed => JSON.stringify(deed))[0];
	const there = new Set([undefined, ...allThere.map(deedIn)]);
	const snapshots = all.filter(snapshot => !there.has(deedIn(snapshot))).map(({id}) => id);
	if (snapshots.length > 0) {
		const {limitUpload, limitDownload} = to.copy;
		await into.copy({from: from.repository, snapshots, limitUpload, limitDownload, signal});
	}
}

const noJournal = {rememberForgetting: () => {}, forgetting: () => new Set<string>(), clearForgetting: () => {}};

/** After a copy that brought everything. What a kill leaves of a point whose manifest is gone, a later run finds. */
async function tidy(
	{to, retire, prune, isOver, signal, tell}: CopyRun,
	{into, progress}: Hands,
	{
		points,
		snapshots,
		pointsAmong,
	}: {points: readonly Point[]; snapshots: readonly Snapshot[]; pointsAmong: (all: readonly Snapshot[]) => Point[]},
): Promise<void> {
	if (to.access() !== 'full') {
		return;
	}

	try {
		const left = leftIn(snapshots, points, isOver);
		const retired = await retire(pointsAmong(snapshots));
		if (left.length + retired.length > 0) {
			tell({type: 'step', step: 'forget', subject: `${retired.length} of the restore points`});
			await forgetPoints(into, noJournal, retired, {signal});
			progress.removed = retired.length;
			progress.points = (progress.points ?? 0) - retired.length;
			if (left.length > 0) {
				await into.forget(left, signal);
			}
		}

		if (prune) {
			tell({type: 'step', step: 'prune'});
			await into.prune({signal});
			progress.pruned = true;
		}
	} catch (error) {
		signal.throwIfAborted();
		const why = to.learn(error) ? 'it refuses that, and counts as append-only from now on: docs/append-only.md' : explain(error);
		tell({type: 'warning', message: `every point is there, but what is kept no longer could not be removed: ${why}`});
	}
}

/** Pure: what an interrupted copy left of points that the primary has no more. Nothing of a run that has a manifest, or of somebody else. */
export function leftIn(there: readonly Snapshot[], points: readonly Point[], isOver: (run: string) => boolean): string[] {
	const kept = new Set([...points.map(({id}) => id), ...there.filter(holdsManifest).map(runOf)]);
	return there.filter(snapshot => !kept.has(runOf(snapshot)) && isOver(runOf(snapshot))).map(({id}) => id);
}

const runOf = ({tags}: Snapshot): string => tags.map(runOfTag).find(run => run !== undefined) ?? '';

const nameOf = ({id, target}: Pick<Point, 'id' | 'target'>) => `${target} ${id}`;

function missingOf(points: readonly Point[], there: readonly Point[]): Point[] {
	const present = new Set(there.map(nameOf));
	return points.filter(point => !present.has(nameOf(point)));
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

interface Copying extends Hands {
	workshop: Workshop;
	options: CopyRun;
	/** All of the primary. */
	here: readonly Snapshot[];
}

/** One point that cannot be read must not keep the others. */
async function copyBatch(copying: Copying, batch: readonly Point[]): Promise<void> {
	const {into, options, progress} = copying;
	const {from, to, signal} = options;
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

async function publishCopy({workshop, options, into, progress, here}: Copying, point: Point, there: readonly Snapshot[]): Promise<void> {
	const {from, to, signal, tell} = options;
	const manifest = await readManifest(from.restic(), point);
	const {ids, extra} = counterparts(point, here, there);
	if (extra.length > 0) {
		await into.forget(extra, signal);
	}

	tell({type: 'step', step: 'publish', subject: `${point.target} ${point.id}`});
	await publish(to.restic(), translated(manifest, ids), join(workshop.folder, to.name), signal);
	progress.copied += 1;
	progress.points = (progress.points ?? 0) + 1;
}

const translated = (manifest: Manifest, ids: ReadonlyMap<string, string>): Manifest => ({
	...manifest,
	sources: manifest.sources.map(source => ({...source, snapshot: ids.get(source.snapshot) ?? source.snapshot})),
});

/**
 * Pure. The ids that the snapshots of a point have in the copy: those of the same run, source and content. `extra`: what else is there of
 * the run, which is no point there: with it the new one would not be whole, or not be read.
 * @throws {RunError} when a snapshot is not there
 */
export function counterparts(
	{id, filedAs, sources}: Point,
	here: readonly Snapshot[],
	there: readonly Snapshot[],
): {ids: Map<string, string>; extra: string[]} {
	const ofRun = there.filter(({tags}) => tags.includes(runTag(id)) && tags.includes(targetTag(filedAs)));
	const ids = new Map<string, string>();
	for (const {source, snapshot} of sources) {
		const tree = here.find(candidate => candidate.id === snapshot)?.tree;
		const found = ofRun.find(candidate => tree && candidate.tree === tree && candidate.tags.includes(sourceTag(source)));
		if (found === undefined) {
			throw new RunError(
				`\`${source}\` is not in the copy with the same content, although restic copied snapshot ${snapshot.slice(0, 8)}`,
				{
					hint: 'run `restic check` on both repositories',
				},
			);
		}

		ids.set(snapshot, found.id);
	}

	const chosen = new Set(ids.values());
	return {ids, extra: ofRun.filter(snapshot => !chosen.has(snapshot.id)).map(snapshot => snapshot.id)};
}
