/** Every failed restore has a way out: what was never swapped is not put back, a refusal is not tried for minutes, and both `undo` and `finish` end it. */
import {Duplex, Readable, Writable} from 'node:stream';
import test from 'ava';
import type {RestoreWorkshop} from '../../../../agent/restore/context.ts';
import {finishRestore} from '../../../../agent/restore/finish.ts';
import {openRestoreJournal} from '../../../../agent/restore/journal.ts';
import {isRefusal, rollBackAll} from '../../../../agent/restore/roll-back.ts';
import {undoRestore} from '../../../../agent/restore/undo.ts';
import type {UndoPlan} from '../../../../agent/restore/undo-plan.ts';
import {keyOf, type Replaced} from '../../../../agent/sources/restoring.ts';
import type {ReplacedPath} from '../../../../agent/sources/tar/restore.ts';
import type {RestorePhase, RestoreRecord} from '../../../../agent/state/restores.ts';
import type {Told} from '../../../../base/events.ts';
import type {Container} from '../../../../docker/container.ts';
import {hireWorkers} from '../../../../docker/hire.ts';
import type {Workforce} from '../../../../docker/worker.ts';

const tar = (path: string, touched?: boolean): ReplacedPath => ({
	kind: 'tar',
	source: `tar:${path}`,
	path,
	safety: `safety-of-${path}`,
	...(touched === undefined ? {} : {touched}),
});

const done = {stdin: new Writable(), stdout: Readable.from([]), done: Promise.resolve({exitCode: 0, stderr: ''}), kill: async () => {}};

const self = {
	containerId: undefined,
	image: 'holdfast',
	mounts: [],
	networks: [],
	networkMode: 'default',
	inherited: {limits: {}, names: {}, isolation: {}},
};

const hiring = (engine: RestoreWorkshop['engine']) => async (run: string) =>
	hireWorkers({engine, self: self as unknown as RestoreWorkshop['self'], agentId: 'a', run, offline: true});

/** An agent whose engine refuses to put anything back, with what was asked of it. */
function scene({refuses = true} = {}) {
	const asked: string[] = [];
	const told: Told[] = [];
	const kept = new Map<string, RestoreRecord>();
	const worker = {id: 'worker', name: 'worker', run: async () => ({...done, stdout: Readable.from([])})};
	const workforce = {repository: async () => worker, dismiss: async () => {}} as unknown as Workforce;
	const restic = () => ({
		async dump(snapshot: string) {
			asked.push(`dump ${snapshot}`);
			return {...done, stdout: Readable.from([])};
		},
		async forget([snapshot]: string[]) {
			asked.push(`forget ${snapshot}`);
		},
	});
	const engine = {
		removeVolume: async () => {},
		create: async () => 'worker',
		start: async () => {},
		remove: async () => {},
		inspect: async () => ({state: 'running', mounts: [{path: '/staging', volume: 'staged'}]}),
		// Every command of a worker exits with 0 and says nothing but its pid, as the wrapper does.
		async exec() {
			const stream = new Duplex({read() {}, write: (_chunk, _encoding, callback) => callback()});
			stream.push(Buffer.from([2, 0, 0, 0, 0, 0, 0, 2, 0x31, 0x0a]));
			stream.push(null);
			return {stream, inspect: async () => ({running: false, exitCode: 0})};
		},
		async putArchive(_id: string, _folder: string, archive: Readable) {
			archive.resume();
			if (refuses) {
				throw Object.assign(new Error('container rootfs is marked read-only'), {statusCode: 403});
			}
		},
	};
	const workshop = {
		engine,
		hire: async (run: string) =>
			hireWorkers({engine: engine as unknown as RestoreWorkshop['engine'], self, agentId: 'a', run, offline: true}),
		journal: {open: () => []},
		restic,
		restores: {
			saveRestore: (each: RestoreRecord) => void kept.set(each.run, each),
			restores: () => [...kept.values()],
			removeRestore: (run: string) => void kept.delete(run),
		},
	} as unknown as RestoreWorkshop;
	return {workshop, workforce, worker, asked, told, kept, tell: (event: Told) => void told.push(event)};
}

const record = (phase: RestorePhase, ...replacements: Replaced[]): RestoreRecord => ({
	run: 'r1',
	target: 'shop/app',
	point: 'p',
	phase,
	replacements,
	swappedAt: null,
	ran: [],
	settledBy: null,
	unjudged: [],
	keptIn: 'primary',
});

const planOf = (...replacements: Replaced[]): UndoPlan => ({
	containers: new Map(replacements.map(each => [keyOf(each), {id: 'c', name: 'app'} as Container])),
	mounts: [],
	stop: [],
	stopLimitMs: 60_000,
	hooks: [],
	problems: [],
	strangers: [],
});

test('the journal knows what was swapped: the rest is not put back, nor listed', t => {
	const {workshop, kept} = scene();
	const journal = openRestoreJournal(workshop.restores, {run: 'r1', target: 'shop/app', point: 'p', keptIn: 'primary'});
	journal.remember(tar('/a'));
	journal.remember(tar('/b'));
	journal.phase('swapping');
	journal.touch({source: 'tar:/a'});
	const safeties = () => journal.toRollBack().map(each => each.safety);
	t.deepEqual(safeties(), ['safety-of-/a', null]);
	t.deepEqual(
		kept.get('r1')?.replacements.map(({touched}) => touched),
		[true, false],
	);
	journal.restored(tar('/a'));
	t.deepEqual(safeties(), [null, null], 'what is back is not put back once more: the application may have written since');
});

test('a refusal that cannot change is heard twice, and not for minutes; and what never was swapped is not asked for', async t => {
	const {workshop, workforce, asked, tell} = scene();
	const back: string[] = [];
	const begun = performance.now();
	const failures = await rollBackAll(workshop, workforce, {
		replacements: [tar('/a'), {...tar('/b'), safety: null}],
		target: 'shop/app',
		container: () => ({id: 'c', name: 'app'}),
		isTouched: true,
		onBack: ({source}) => back.push(source),
		remember() {},
		later() {},
		tell,
	});
	t.is(failures.length, 1);
	t.true(failures.every(isRefusal));
	t.true(performance.now() - begun < 20_000);
	t.deepEqual(asked, ['dump safety-of-/a', 'dump safety-of-/a']);
	t.deepEqual(back, ['tar:/b']);
	t.false(isRefusal(new Error('the repository is away')));
	t.false(isRefusal(new AggregateError([])));
});

test('a restore that failed is finished: what is there stays, and nothing is kept', async t => {
	const {workshop, asked, kept, tell} = scene();
	const failed = record('failed', tar('/a', true), tar('/b', false));
	kept.set('r1', failed);
	const result = await finishRestore(workshop, {run: 'f1', record: failed, plan: planOf(tar('/a'), tar('/b')), tell});
	t.is(result.outcome, 'success', result.error);
	t.deepEqual(result.replaced, []);
	t.deepEqual(asked, ['forget safety-of-/a', 'forget safety-of-/b']);
	t.is(kept.size, 0);
});

test('a restore that failed is undone: only what was swapped is put back; where that is refused it is left to a person, with both ways out', async t => {
	const good = scene({refuses: false});
	const failed = record('failed', tar('/a', true), tar('/b', false));
	const undone = await undoRestore(good.workshop, {run: 'u1', record: failed, plan: planOf(tar('/a'), tar('/b')), tell: good.tell});
	t.is(undone.outcome, 'success', undone.error);
	t.deepEqual(good.asked, ['dump safety-of-/a']);

	const bad = scene();
	let isStarted = false;
	const result = await undoRestore(bad.workshop, {
		run: 'u1',
		record: failed,
		plan: planOf(tar('/a'), tar('/b')),
		tell: bad.tell,
		async startStopped() {
			isStarted = true;
		},
	});
	t.is(result.outcome, 'failed');
	t.regex(result.error ?? '', /restore undo r1; or, to keep what is there now: holdfast restore finish r1/);
	t.deepEqual(result.replaced, ['tar:/a: snapshot safety-o']);
	t.is(bad.kept.get('r1')?.phase, 'failed', 'no recovery tries it again');
	t.true(isStarted);
});

test('an undo makes its worker before anything is stopped; one that cannot be made then is made again when it is needed', async t => {
	for (const misses of [0, 1]) {
		const {workshop, asked, tell} = scene({refuses: false});
		let made = 0;
		let looks = 0;
		const journal = {
			...workshop.journal,
			open() {
				looks += 1;
				// First it is asked what those before left of it.
				if (looks > 1) {
					asked.push('stop');
				}

				return [];
			},
		};
		const engine = {
			...workshop.engine,
			async create() {
				asked.push('create');
				made += 1;
				if (made <= misses) {
					throw new Error('the engine is busy');
				}

				return 'worker';
			},
		} as unknown as RestoreWorkshop['engine'];
		const failed = record('failed', tar('/a', true));
		const result = await undoRestore(
			{...workshop, engine, hire: hiring(engine), journal},
			{run: 'u1', record: failed, plan: planOf(tar('/a')), tell},
		);
		t.is(result.outcome, 'success', result.error);
		t.is(asked[0], 'create');
		t.is(made, misses + 1);
		t.true(asked.includes('dump safety-of-/a'));
	}
});
