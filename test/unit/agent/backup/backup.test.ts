/** A backup on doubles of all that it calls: whatever rejects, whenever, its workers are dismissed, its target is put back, and there is no point but a whole one. */
import test from 'ava';
import fc from 'fast-check';
import {backup} from '../../../../agent/backup/backup.ts';
import {pointsOf, readManifest} from '../../../../agent/repository/points.ts';
import {type Fault, withoutWaiting} from '../../../support/doubles/faults.ts';
import {
	assertOrdered,
	eachFault,
	fill,
	folders,
	manifestFolder,
	memoryWorkshop,
	plan,
	someFaults,
} from '../../../support/doubles/workshop.ts';

async function runWith(folder: string, faults: readonly Fault[]) {
	const scene = memoryWorkshop(folder);
	fill(scene.disk, 'first');
	scene.fail(faults);
	const result = await withoutWaiting(async () =>
		backup(scene.workshop, {
			run: 'r1',
			plan,
			startedAt: new Date(),
			previous: undefined,
			signal: new AbortController().signal,
			tell: scene.tell,
			tellOnce: () => true,
		}),
	);
	return {scene, result};
}

test.serial('whatever fails: dismissed, put back, no point or a whole one', async t => {
	const folder = await manifestFolder(t);
	const {scene: undisturbed, result: good} = await runWith(folder, []);
	t.is(good.outcome, 'success', good.error);
	const examples = eachFault(undisturbed.calls.length);
	const seen = new Set<string>();
	await fc.assert(
		fc.asyncProperty(someFaults(undisturbed.calls.length), async faults => {
			const {scene, result} = await runWith(folder, faults);
			const {repository} = scene;
			assertOrdered(t, scene, result);
			const points = pointsOf(repository.snapshots);
			seen.add(`${result.outcome} ${result.point === null ? 'without' : 'with'} a point`);
			t.is(result.outcome === 'success', result.error === undefined, result.error);
			if (result.point === null) {
				t.not(result.outcome, 'success');
				// A manifest that was saved, and a repository that was asked for it in vain
				t.true(points.length === 0 || faults.length > 1, scene.calls.join(', '));
				return;
			}

			const [point] = points;
			t.is(point?.id, 'r1');
			const {sources} = await readManifest(repository.restic, point as NonNullable<typeof point>);
			t.deepEqual(
				sources.map(({snapshot, source}) => [source, repository.snapshots.find(({id}) => id === snapshot)?.content]),
				plan.sources.map(({name}, index) => [name, `first of ${folders[index]}`]),
			);
		}),
		{numRuns: examples.length + 300, examples},
	);
	t.deepEqual([...seen].sort(), ['failed without a point', 'partial with a point', 'partial without a point', 'success with a point']);
});
