/**
 * A restore, its undo and its end on doubles of all that they call: whatever rejects, whenever, workers are dismissed, applications are back, and the
 * data is all of one or all of the other; or what is half done is in the journal, and the result says the ways out.
 */
import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {finishRestore} from '../../../../agent/restore/finish.ts';
import type {Restoration} from '../../../../agent/restore/plan/plan.ts';
import {restore} from '../../../../agent/restore/restore.ts';
import {undoRestore} from '../../../../agent/restore/undo.ts';
import type {RestoreRecord} from '../../../../agent/state/restores.ts';
import type {RestoreResult} from '../../../../base/results.ts';
import {type Fault, withoutWaiting} from '../../../support/doubles/faults.ts';
import {liveOn, undoPlan} from '../../../support/doubles/next-life.ts';
import {
	assertOrdered,
	containers,
	eachDeath,
	fill,
	folders,
	hooks,
	memoryWorkshop,
	type Scene,
	slowlyBefore,
	someDeaths,
	someFaults,
	sources,
	target,
} from '../../../support/doubles/workshop.ts';

const stop = containers.map(container => ({container, action: 'stop' as const, reason: 'the target'}));

/** A target whose point holds `first`, and that holds `second`. */
async function begin(hooks: Restoration['hooks'] = []) {
	const scene = memoryWorkshop('');
	fill(scene.disk, 'first');
	const stored = await Promise.all(
		folders.map(async path => scene.repository.restic.backupFiles({path, tags: ['holdfast', 'run:r1'], time: new Date(), host: 'host'})),
	);
	fill(scene.disk, 'second');
	const restoring = sources.map((source, index) => ({
		...source,
		target,
		// The programs that rename are killed in a test of their own
		inPlace: 'it is a double',
		stored: {
			source: source.name,
			kind: source.kind,
			path: folders[index] ?? '',
			snapshot: stored[index]?.snapshot ?? '',
			bytes: 1,
			addedBytes: 1,
			durationSeconds: 0,
			details: {},
			container: {name: source.container.name, image: '', imageId: '', labels: {}},
		},
	}));
	const point = {id: 'r1', target, filedAs: target, agent: 'a', host: 'host', time: new Date(), manifest: 'm', sources: []};
	return {
		scene,
		restoration: {
			target,
			points: [point] as const,
			sources: restoring,
			isDecided: true,
			stop,
			stopLimitMs: 60_000,
			hooks,
			warnings: [],
		},
	};
}

type Begun = Awaited<ReturnType<typeof begin>>;

const restoring = async ({scene, restoration}: Begun, newcomers: readonly string[] = []) =>
	restore(scene.workshop, {
		run: 'r2',
		startedAt: new Date(),
		restoration,
		previous: new Map(),
		isUnkept: false,
		marginBytes: 0,
		newcomers: async () => [...newcomers],
		signal: new AbortController().signal,
		tell: scene.tell,
	});

async function restoreWith(
	faults: readonly Fault[],
	prepare: (scene: Scene) => void = () => {},
	newcomers: readonly string[] = [],
	around: Restoration['hooks'] = [],
) {
	const begun = await begin(around);
	const {scene} = begun;
	prepare(scene);
	scene.fail(faults);
	const result = await withoutWaiting(async () => restoring(begun, newcomers));
	return {scene, result};
}

/** What of a whole restore is settled. */
async function settleWith(verb: 'undo' | 'finish', faults: readonly Fault[]) {
	const {scene, result: restored} = await restoreWith([]);
	scene.fail(faults);
	const result = await withoutWaiting(async () => settling(scene, verb));
	return {scene, restored, result};
}

async function settling(scene: Scene, verb: 'undo' | 'finish', around: Restoration['hooks'] = []) {
	const [record] = [...scene.restores.values()] as [RestoreRecord];
	const settle = verb === 'undo' ? undoRestore : finishRestore;
	return settle(scene.workshop, {run: 'r3', record, plan: undoPlan(record, around), tell: scene.tell});
}

const liveIn = ({disk}: Scene): string => {
	const words = new Set(folders.map(folder => disk.get(folder)?.split(' ')[0] ?? 'nothing'));
	return [...words].sort().join(' and ');
};

/** What is said of what is live, where a restore fails and all is as it was. */
const endings = ['nothing was replaced', 'what was there before is put back'];

/** What is not whole is in the journal, and the result says what to do. */
function assertWayOut(t: ExecutionContext, {restores, calls}: Scene, {error = '', outcome}: RestoreResult): void {
	t.is(outcome, 'failed', error);
	t.true(restores.size > 0, `half of it is there, and nobody knows: ${calls.join(', ')}`);
	t.regex(error, /holdfast restore undo/);
}

test.serial('a restore: all of the point, or all of what was there', async t => {
	const {scene: undisturbed, result: good} = await restoreWith([]);
	t.is(good.outcome, 'success', good.error);
	t.is(liveIn(undisturbed), 'first');
	const seen = new Set<string>();
	await fc.assert(
		fc.asyncProperty(someFaults(undisturbed.calls.length), async faults => {
			const {scene, result} = await restoreWith(faults);
			assertOrdered(t, scene, result);
			const live = liveIn(scene);
			seen.add(`${result.outcome}: ${live}`);
			const [record] = scene.restores.values();
			if (result.outcome !== 'failed') {
				t.is(live, 'first', scene.calls.join(', '));
				t.is(record?.phase, 'swapped');
				t.deepEqual(
					record?.replacements.map(({safety}) => scene.repository.snapshots.find(({id}) => id === safety)?.content),
					folders.map(folder => `second of ${folder}`),
					'what was replaced is kept',
				);
			} else if (live !== 'second') {
				assertWayOut(t, scene, result);
			}

			if (endings.some(ending => result.error?.includes(ending))) {
				t.is(live, 'second', result.error);
			}
		}),
		{numRuns: 300},
	);
	t.true(seen.has('failed: second'), [...seen].join());
	t.true(seen.has('success: first'), [...seen].join());
});

test.serial('who could not be started is named, also where nobody can be asked afterwards', async t => {
	const {scene: undisturbed} = await restoreWith([]);
	const started = undisturbed.calls.findIndex(call => call.startsWith('engine.start'));
	const asked = undisturbed.calls.lastIndexOf('engine.inspect app', started);
	const {scene, result} = await restoreWith([asked, started].map(at => ({at, how: 'breaks before', lasts: true})));
	assertOrdered(t, scene, result);
	assertWayOut(t, scene, result);
	t.regex(result.error ?? '', /`app` could not be put back.*`web` could not be put back/);
});

test.serial('where somebody does not stop, or nobody knows who runs, nothing of what was loaded is left', async t => {
	const {scene: undisturbed} = await restoreWith([]);
	const stopped = undisturbed.calls.findIndex(call => call.startsWith('engine.stop'));
	const asked = undisturbed.calls.findIndex(call => call.startsWith('engine.inspect'));
	for (const at of [stopped, asked]) {
		const {scene, result} = await restoreWith([{at, how: 'breaks before', lasts: true}]);
		t.is(result.outcome, 'failed', undisturbed.calls[at]);
		t.is(liveIn(scene), 'second');
		t.is(scene.restores.size, 0, `${undisturbed.calls[at]}: ${result.error}`);
	}
});

test.serial('who was started while it was loaded is not stopped, so nothing is replaced', async t => {
	const {scene, result} = await restoreWith([], undefined, ['worker-2']);
	t.is(result.outcome, 'failed');
	t.regex(result.error ?? '', /container `worker-2` was started while.*; nothing was replaced$/);
	t.is(liveIn(scene), 'second');
	t.is(scene.restores.size, 0);
	t.false(scene.calls.some(call => call.startsWith('engine.stop')));
});

for (const lasts of [false, true]) {
	test.serial(`a swap that cannot be written down ${lasts ? 'and nothing after it either ' : ''}is put back, once`, async t => {
		const {scene, result} = await restoreWith([], ({workshop: {restores}}) => {
			const {saveRestore, removeRestore} = restores;
			let isFull = false;
			restores.saveRestore = record => {
				isFull = record.phase === 'swapped' || (isFull && lasts);
				if (isFull) {
					throw new Error('its disk is full');
				}

				saveRestore(record);
			};
			restores.removeRestore = run => {
				if (isFull && lasts) {
					throw new Error('its disk is full');
				}

				removeRestore(run);
			};
		});
		t.is(result.outcome, 'failed');
		t.regex(result.error ?? '', lasts ? /its disk is full/ : /its disk is full.*; what was there before is put back$/);
		t.is(liveIn(scene), 'second');
		t.is(scene.restores.size, lasts ? 1 : 0);
		assertOrdered(t, scene, result);
		const swaps = scene.told.filter(event => event.type === 'step' && event.step === 'swap').length;
		t.is(swaps, 2 * sources.length, 'there and back');
	});
}

test.serial('a roll-back asks for no lock: who prunes, or a disk that is full, would keep it from one', async t => {
	const asked: Array<boolean | undefined> = [];
	const {result} = await restoreWith([], ({workshop}) => {
		const {restic} = workshop.keeper;
		workshop.keeper = {
			...workshop.keeper,
			restic(place, options) {
				asked.push(options?.withoutLock);
				return restic(place, options);
			},
		};
		const {saveRestore} = workshop.restores;
		workshop.restores.saveRestore = record => {
			if (record.phase === 'swapped') {
				throw new Error('its disk is full');
			}

			saveRestore(record);
		};
	});
	t.is(result.outcome, 'failed');
	t.is(asked.filter(Boolean).length, sources.length);
});

test.serial('an undo: all of what was there, or a way out', async t => {
	const {scene: undisturbed, result: good} = await settleWith('undo', []);
	t.is(good.outcome, 'success', good.error);
	t.is(liveIn(undisturbed), 'second');
	t.is(undisturbed.restores.size, 0);
	await fc.assert(
		fc.asyncProperty(someFaults(undisturbed.calls.length), async faults => {
			const {scene, result} = await settleWith('undo', faults);
			assertOrdered(t, scene, result);
			const live = liveIn(scene);
			if (result.outcome !== 'failed') {
				t.is(live, 'second', scene.calls.join(', '));
				t.is(scene.restores.size, 0);
			} else if (live !== 'second') {
				t.true(scene.restores.size > 0, scene.calls.join(', '));
			}
		}),
		{numRuns: 300},
	);
});

test.serial('an end: what is restored stays, whatever cannot be let go', async t => {
	const {scene: undisturbed, result: good} = await settleWith('finish', []);
	t.is(good.outcome, 'success', good.error);
	await fc.assert(
		fc.asyncProperty(someFaults(undisturbed.calls.length), async faults => {
			const {scene, result} = await settleWith('finish', faults);
			t.is(scene.calls.filter(call => call === 'workforce.dismiss').length, 1, 'dismissed once');
			t.is(liveIn(scene), 'first');
			t.is(result.outcome === 'success', result.error === undefined, result.error);
			t.true(result.outcome !== 'success' || scene.restores.size === 0, scene.calls.join(', '));
		}),
		{numRuns: 100},
	);
});

/** Who finds what the point holds is not well. */
function sicken({engine, disk}: Scene): void {
	const {inspect} = engine;
	engine.inspect = async id => {
		const details = await inspect(id);
		return {...details, health: [...disk.values()].some(word => word.startsWith('first')) ? 'unhealthy' : details.health};
	};
}

/** All run, nothing is left to be done by anybody, and what is live is whole. */
function assertSettled(t: ExecutionContext, {engine, workshop, restores}: Scene, calls: string): void {
	t.deepEqual(
		engine.states().filter(state => !state.startsWith('worker')),
		['app running', 'web running'],
		calls,
	);
	t.deepEqual(workshop.journal.open(), [], calls);
	t.deepEqual(
		[...restores.values()].filter(({phase, unjudged}) => phase !== 'swapped' || unjudged.length > 0),
		[],
		calls,
	);
}

function assertUnhooked(t: ExecutionContext, {engine: {executed}}: Scene, calls: string): void {
	t.true(!executed.includes('app hook before') || executed.at(-1) === 'app hook after', `${executed.join(', ')}: ${calls}`);
}

for (const isSick of [false, true]) {
	const what = isSick ? ', what the application refuses is put back' : ': all of the point, or all of what was there';
	test.serial(`whenever the agent is killed in a restore, and its next lives, too${what}`, async t => {
		const {scene: undisturbed} = await restoreWith([], isSick ? sicken : undefined, [], hooks);
		// Two lives that die in the roll-back, of which the second has quiesced nothing itself
		const twice = [62, 16, 2].map(at => ({at, how: 'dies after'}) as const);
		const examples = [...eachDeath(undisturbed.calls.length), [twice] as never];
		const seen = new Set<string>();
		await fc.assert(
			fc.asyncProperty(someDeaths(undisturbed.calls.length), async faults => {
				const begun = await begin(hooks);
				begun.scene.engine.execMs = slowlyBefore;
				if (isSick) {
					sicken(begun.scene);
				}

				const life = await withoutWaiting(async () => liveOn(begun.scene, async () => restoring(begun), faults, hooks));
				const calls = `${JSON.stringify(faults)}: ${begun.scene.calls.join(', ')}; then ${life.calls.join(', ')}`;
				assertSettled(t, life, calls);
				assertUnhooked(t, life, calls);
				const live = liveIn(life);
				seen.add(live);
				t.is(live, life.restores.size === 0 ? 'second' : 'first', calls);
				t.true(!isSick || live === 'second', calls);
			}),
			{numRuns: examples.length + 200, examples},
		);
		t.deepEqual([...seen].sort(), isSick ? ['second'] : ['first', 'second']);
	});
}

for (const verb of ['undo', 'finish'] as const) {
	test.serial(
		`whenever the agent is killed in ${verb === 'undo' ? 'an undo' : 'an end'}, and its next lives, too: that is done, or was not begun`,
		async t => {
			const {scene: undisturbed} = await settleWith(verb, []);
			const examples = eachDeath(undisturbed.calls.length);
			await fc.assert(
				fc.asyncProperty(someDeaths(undisturbed.calls.length), async faults => {
					const {scene} = await restoreWith([]);
					scene.engine.execMs = slowlyBefore;
					const life = await withoutWaiting(async () => liveOn(scene, async () => settling(scene, verb, hooks), faults, hooks));
					const calls = `${scene.calls.join(', ')}; then ${life.calls.join(', ')}`;
					assertSettled(t, life, calls);
					assertUnhooked(t, life, calls);
					t.is(liveIn(life), verb === 'undo' && life.restores.size === 0 ? 'second' : 'first', calls);
				}),
				{numRuns: examples.length + 200, examples},
			);
		},
	);
}
