/** A backup on doubles of all that it calls: whatever rejects, whenever, its workers are dismissed, its target is put back, and there is no point but a whole one. */
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {backup} from '../../../../agent/backup/backup.ts';
import type {Plan} from '../../../../agent/plan/planned.ts';
import {type Point, pointsOf, readManifest} from '../../../../agent/repository/points.ts';
import {type Fault, withoutWaiting} from '../../../support/doubles/faults.ts';
import {liveOn} from '../../../support/doubles/next-life.ts';
import {
	assertOrdered,
	eachDeath,
	eachFault,
	fill,
	folders,
	manifestFolder,
	memoryWorkshop,
	plan,
	type Scene,
	someDeaths,
	someFaults,
} from '../../../support/doubles/workshop.ts';

interface Late {
	/** The first pass took so long. */
	tookMs: number;
	stillNow: () => Promise<Pick<Plan, 'quiesce' | 'resting'>>;
	keep?: (still: Pick<Plan, 'quiesce' | 'resting'>) => Promise<void>;
	/** As it was planned. */
	still?: Pick<Plan, 'quiesce' | 'resting'>;
}

async function runWith(folder: string, faults: readonly Fault[], late?: Late) {
	const scene = memoryWorkshop(folder);
	fill(scene.disk, 'first');
	scene.fail(faults);
	const result = await withoutWaiting(async () => backingUp(scene, late));
	return {scene, result};
}

const backingUp = async (
	scene: Scene,
	{tookMs, stillNow, keep = async () => {}, still = plan}: Late = {tookMs: 0, stillNow: async () => plan},
) =>
	backup(scene.workshop, {
		run: 'r1',
		plan: {...plan, quiesce: still.quiesce, resting: still.resting},
		startedAt: new Date(Date.now() - tookMs),
		previous: Promise.resolve(undefined),
		stillNow,
		keep,
		signal: new AbortController().signal,
		tell: scene.tell,
		tellOnce: () => true,
		rememberNewest() {},
	});

async function assertWhole(t: ExecutionContext, {restic, snapshots}: Scene['repository'], [point]: readonly Point[]): Promise<void> {
	t.is(point?.id, 'r1');
	const {sources} = await readManifest(restic, point as Point);
	t.deepEqual(
		sources.map(({snapshot, source}) => [source, snapshots.find(({id}) => id === snapshot)?.content]),
		plan.sources.map(({name}, index) => [name, `first of ${folders[index]}`]),
	);
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

			await assertWhole(t, repository, points);
		}),
		{numRuns: examples.length + 300, examples},
	);
	t.deepEqual([...seen].sort(), ['failed without a point', 'partial with a point', 'partial without a point', 'success with a point']);
});

test.serial('whenever the agent is killed, and its next lives, too: put back, no point or a whole one', async t => {
	const folder = await manifestFolder(t);
	const {scene: undisturbed} = await runWith(folder, []);
	const examples = eachDeath(undisturbed.calls.length);
	const seen = new Set<number>();
	let count = 0;
	await fc.assert(
		fc.asyncProperty(someDeaths(undisturbed.calls.length), async faults => {
			// Each in a folder of its own: on a real disk the dead may be at something still.
			const scene = memoryWorkshop(join(folder, String(++count)));
			fill(scene.disk, 'first');
			const {engine, workshop, repository} = await withoutWaiting(async () => liveOn(scene, async () => backingUp(scene), faults));
			t.deepEqual(engine.states(), ['app running', 'web running'], scene.calls.join(', '));
			t.deepEqual(workshop.journal.open(), [], scene.calls.join(', '));
			const points = pointsOf(repository.snapshots);
			seen.add(points.length);
			if (points.length > 0) {
				await assertWhole(t, repository, points);
			}
		}),
		{numRuns: examples.length + 100, examples},
	);
	t.deepEqual([...seen].sort(), [0, 1]);
});

test.serial('who was started during a long first pass stands still, too; and who is just made anew is waited upon as before', async t => {
	const folder = await manifestFolder(t);
	const [app, web] = plan.quiesce;
	const now = {quiesce: web === undefined ? [] : [web], resting: []};
	const hour = {tookMs: 3_600_000, stillNow: async () => now};
	const {scene, result} = await runWith(folder, [], hour);
	t.is(result.outcome, 'success', result.error);
	t.true(scene.calls.includes('engine.stop web'));
	t.true(scene.calls.includes('engine.pause app'), 'it is not seen just now');

	const alone = {quiesce: app === undefined ? [] : [app], resting: []};
	const {scene: later} = await runWith(folder, [], {...hour, still: alone, stillNow: async () => plan});
	t.true(later.calls.includes('engine.stop web'));

	const kept: string[] = [];
	const keep = async ({quiesce}: Pick<Plan, 'quiesce'>) => {
		kept.push(...quiesce.map(({container}) => container.name));
		throw new Error('another run has it');
	};
	const {scene: busy, result: refused} = await runWith(folder, [], {...hour, keep});
	t.deepEqual(kept.sort(), ['app', 'web']);
	t.is(refused.outcome, 'failed', 'who stands still for another is woken by it');
	t.false(busy.calls.some(call => call.startsWith('engine.pause')));

	const {scene: quick} = await runWith(folder, [], {tookMs: 0, stillNow: async () => t.fail() as never});
	t.true(quick.calls.includes('engine.stop web'));

	const away = async () => {
		throw new Error('the engine is away');
	};
	const {result: unknown, scene: told} = await runWith(folder, [], {...hour, stillNow: away});
	t.regex(unknown.warnings?.join() ?? '', /is not known: the engine is away/);
	t.true(told.calls.includes('engine.pause app'));
});
