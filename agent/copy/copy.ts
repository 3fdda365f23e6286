/**
 * A copy run, from what is missing in the copy to its points there. The snapshots of a point are copied first; then its manifest is written
 * anew, with the ids that its snapshots have there. So nothing partial is ever a point of the copy, and the copy is a repository like any
 * other: given to an agent as its primary, it can be read, restored from and proven in the same ways.
 */

import {explain, RepositoryError} from '../../base/errors.ts';
import {warner} from '../../base/events.ts';
import {type CopyResult, repositoryTarget} from '../../base/results.ts';
import {deedsOf, filedBy} from '../repository/owner.ts';
import {oursAmong, type Point, pointsOf, readManifest} from '../repository/points.ts';
import type {NamedRepository} from '../repository/repositories.ts';
import type {Restic, Snapshot} from '../restic/restic.ts';
import {withWorkers} from '../runs/shell.ts';
import type {Workshop} from '../runs/workshop.ts';
import {batchesOf, type CopyProgress, copyBatch} from './batch.ts';
import {type Tidying, tidy} from './tidy.ts';

export interface CopyRun extends Omit<Tidying, 'into' | 'progress'> {
	run: string;
	startedAt: Date;
	from: NamedRepository;
	/**
	 * Of the points of the primary, those that belong in the copy. `there`: what is there already.
	 * @param labelsOf the labels that the containers of a point had
	 */
	choose: (points: readonly Point[], there: readonly Point[], labelsOf: LabelsOf) => Promise<readonly Point[]>;
}

export type LabelsOf = (point: Point) => Promise<ReadonlyArray<Readonly<Record<string, string>>>>;

/** Maintenance of either repository may take its time, and so may a copy. */
const lockPatienceSeconds = 3600;

/** Never rejects: whatever happens is the outcome. */
export async function copyPoints(workshop: Workshop, options: CopyRun): Promise<CopyResult> {
	const {run, startedAt, to} = options;
	const progress: CopyProgress = {copied: 0, removed: 0, pruned: false, points: null, failures: []};
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
	progress: CopyProgress;
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
		await copyBatch({from, to, into, folder: workshop.folder, progress, here: present, signal, tell}, still);
	}

	if (progress.failures.length === 0) {
		const snapshots = ours(await allIn(into));
		await tidy({...options, into, progress}, {points, snapshots, there: pointsAmong(snapshots)});
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

const nameOf = ({id, target}: Pick<Point, 'id' | 'target'>) => `${target} ${id}`;

function missingOf(points: readonly Point[], there: readonly Point[]): Point[] {
	const present = new Set(there.map(nameOf));
	return points.filter(point => !present.has(nameOf(point)));
}
