/** A copy on doubles of both repositories and of its workers: whatever rejects, whenever, what is a point of the copy is whole, and the result says what is missing. */
import test from 'ava';
import fc from 'fast-check';
import {describePoint, describeSource} from '../../../../agent/backup/describe.ts';
import {copyPoints} from '../../../../agent/copy/copy.ts';
import {pointsOf, readManifest} from '../../../../agent/repository/points.ts';
import {publish} from '../../../../agent/repository/press.ts';
import type {CopyRepository} from '../../../../agent/repository/repositories.ts';
import type {Repository} from '../../../../agent/restic/repository.ts';
import {type Fault, withoutWaiting} from '../../../support/doubles/faults.ts';
import {memoryRepository} from '../../../support/doubles/memory-restic.ts';
import {fill, folders, manifestFolder, memoryWorkshop, type Scene, someFaults, sources, target} from '../../../support/doubles/workshop.ts';

const runs = ['r1', 'r2', 'r3'];

const repositoryOf = (name: string): Repository => ({name, location: `/${name}`, env: {}, cacheDirectory: '/cache'});

/** A point of each run, whose folders hold its name. */
async function publishAll({workshop, repository: {restic}, disk}: Scene): Promise<void> {
	for (const run of runs) {
		fill(disk, run);
		const time = new Date();
		const stored = [];
		for (const [index, source] of sources.entries()) {
			const tags = ['holdfast', `agent:${workshop.agentId}`, `run:${run}`, `target:${target}`, `source:${source.name}`];
			const {snapshot} = await restic.backupFiles({path: folders[index] ?? '', tags, time, host: 'host'});
			stored.push(describeSource(target, source, {snapshot, bytes: 1, addedBytes: 1, details: {}}, 0));
		}

		const manifest = describePoint(workshop, {run, target, startedAt: time, time, quiesced: [], quiesceSeconds: 0, sources: stored});
		await publish(restic, manifest, workshop.folder, new AbortController().signal);
	}
}

async function copyWith(folder: string, faults: readonly Fault[]) {
	const scene = memoryWorkshop(folder);
	await publishAll(scene);
	const copy = memoryRepository('copy', new Map(), {primary: scene.repository});
	const into = scene.among('copy', copy.restic);
	const door = {
		open: async () => {},
		access: () => 'full' as const,
		learn: () => false,
		ensure: async () => {},
		copy: {},
		isKnown: () => true,
	};
	const named = (name: string, restic: typeof into) =>
		({...door, name, repository: repositoryOf(name), restic: () => restic}) as unknown as CopyRepository;
	scene.fail(faults);
	const result = await withoutWaiting(async () =>
		copyPoints(scene.workshop, {
			run: 'c1',
			startedAt: new Date(),
			from: named('primary', scene.workshop.restic()),
			to: named('copy', into),
			choose: async points => points,
			retire: async () => [],
			prune: true,
			isOver: () => true,
			signal: new AbortController().signal,
			tell: scene.tell,
		}),
	);
	return {scene, copy, result};
}

test.serial('whatever fails: dismissed, and every point of the copy is whole', async t => {
	const folder = await manifestFolder(t);
	const {scene: undisturbed, result: good} = await copyWith(folder, []);
	t.like(good, {outcome: 'success', copied: 3, points: 3, pruned: true}, good.error);
	await fc.assert(
		fc.asyncProperty(someFaults(undisturbed.calls.length), async faults => {
			const {scene, copy, result} = await copyWith(folder, faults);
			t.is(scene.calls.filter(call => call === 'workforce.dismiss').length, 1, 'dismissed once');
			const points = pointsOf(copy.snapshots);
			for (const point of points) {
				const {sources: listed} = await readManifest(copy.restic, point);
				t.deepEqual(
					listed.map(({snapshot}) => copy.snapshots.find(({id}) => id === snapshot)?.content),
					folders.map(path => `${point.id} of ${path}`),
				);
			}

			t.is(result.outcome === 'success', result.error === undefined, result.error);
			t.true(result.outcome !== 'success' || points.length === runs.length, scene.calls.join(', '));
			t.true(result.copied <= points.length);
		}),
		{numRuns: 60},
	);
});
