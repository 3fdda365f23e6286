/** A workshop in memory: two applications with a volume each, of which one is paused and one stopped in the moment. Any call may fail. */
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import fc from 'fast-check';
import type {Plan} from '../../../agent/plan/planned.ts';
import {mountPath, parseSource} from '../../../agent/repository/names.ts';
import type {RestoreWorkshop} from '../../../agent/restore/context.ts';
import type {RestoreRecord} from '../../../agent/state/restores.ts';
import type {Told} from '../../../base/events.ts';
import type {Container, Mount} from '../../../docker/container.ts';
import type {Journal, JournalEntry} from '../../../docker/resume.ts';
import {runningContainer} from './container.ts';
import {deaths, type Fault, faulty, ways} from './faults.ts';
import {memoryEngine} from './memory-engine.ts';
import {type Disk, memoryRepository} from './memory-restic.ts';
import {memoryWorkforce} from './memory-workforce.ts';

export const target = 'shop/all';

const mountOf = (volume: string): Mount => ({type: 'volume', volume, hostPath: `/volumes/${volume}`, path: '/data', readWrite: true});

export const containers: readonly Container[] = ['app', 'web'].map(name => runningContainer(name, {mounts: [mountOf(name)]}));

export const sources = containers.map(container => ({
	name: `${container.name}/volume:/data`,
	kind: 'volume',
	container,
	mount: container.mounts[0] as Mount,
	exclude: [],
}));

/** Where a worker has the files of each source. */
export const folders = sources.map(({name, mount}) => mountPath(target, parseSource(name).prefix, mount.path));

export const plan: Plan = {
	target,
	sources,
	quiesce: containers.map((container, index) => ({container, action: index === 0 ? 'pause' : 'stop', reason: 'the target'})),
	absent: [],
	snapshots: [],
	resting: [],
	hooks: [],
	quiesceTimeoutMs: 300_000,
	schedule: '0 3 * * *',
	scheduleFrom: 'default',
	notes: [],
};

const hookOf = (when: 'before' | 'after') => ({
	container: containers[0] as Container,
	hook: {argv: ['hook', when] as const, timeoutMs: 30_000, onError: 'fail' as const},
	when,
});

/** The one before is not over at once: an agent that is killed meanwhile leaves it at work. */
export const slowlyBefore = (argv: readonly string[]): number => (argv.includes('before') ? 3000 : 0);

export const hooks = [hookOf('before'), hookOf('after')];

/** Up to two of the first so many calls. */
export const someFaults = (calls: number) =>
	fc.uniqueArray(fc.record({at: fc.nat(calls), how: fc.constantFrom(...ways), lasts: fc.boolean()}), {
		maxLength: 2,
		selector: ({at}) => at,
	});

/** Each of the first so many calls, in each way, once and for good: for the examples of a property, which are tried whatever is drawn. */
export const eachFault = (calls: number): Array<[Fault[]]> =>
	Array.from({length: calls}, (_, at) => at).flatMap(at =>
		ways.flatMap(how => [false, true].map((lasts): [Fault[]] => [[{at, how, lasts}]])),
	);

/**
 * One life after another: each is killed at one of its first so many calls, and the last one is not. What the engine is at when an agent dies is over before a
 * third one comes: a stop ends with the container that it was asked for, and does not stop it once more when it was started since.
 */
export const someDeaths = (calls: number) =>
	fc
		.array(fc.record<Fault>({at: fc.nat(calls), how: fc.constantFrom(...deaths)}), {minLength: 1, maxLength: 4})
		.map(faults =>
			faults.map(({at, how}, index): Fault => ({at, how: how === 'dies meanwhile' && index < faults.length - 1 ? 'dies after' : how})),
		);

/** Killed once, at each of the first so many calls: for the examples of a property. */
export const eachDeath = (calls: number): Array<[Fault[]]> =>
	Array.from({length: calls}, (_, at) => at).flatMap(at => deaths.map((how): [Fault[]] => [[{at, how}]]));

/** The folder that manifests are made in, for all tests of a file. */
export async function manifestFolder(t: Pick<ExecutionContext, 'teardown'>): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-stories-'));
	t.teardown(async () => rm(folder, {recursive: true, force: true}));
	return folder;
}

function memoryJournal(): Journal {
	let entries: JournalEntry[] = [];
	let last = 0;
	return {
		record(run, undo) {
			entries = [...entries, {id: ++last, run, undo}];
			return last;
		},
		clear(id) {
			entries = entries.filter(entry => entry.id !== id);
		},
		open: () => entries,
	};
}

/** All folders hold `word`. */
export const fill = (disk: Disk, word: string): void => {
	for (const folder of folders) {
		disk.set(folder, `${word} of ${folder}`);
	}
};

/** What outlives the agent. */
function memoryMachine() {
	const disk: Disk = new Map();
	const repository = memoryRepository('primary', disk);
	return {disk, repository, engine: memoryEngine(containers), restores: new Map<string, RestoreRecord>(), journal: memoryJournal()};
}

/** @param machine of an earlier life, which is dead */
export function memoryWorkshop(folder: string, machine: ReturnType<typeof memoryMachine> = memoryMachine()) {
	const {among, calls, fail, death, isDead} = faulty();
	const {disk, repository, engine, restores, journal} = machine;
	const told: Told[] = [];
	const write = (change: () => void): void => {
		if (!isDead()) {
			change();
		}
	};
	// How often it is looked for locks meanwhile is the clock's to say, which goes on while a real disk is written to: the number of a call must not hang on that.
	const restic = {...among('restic', repository.restic), locks: repository.restic.locks};
	const workforce = memoryWorkforce(disk, among);
	const workshop: RestoreWorkshop = {
		engine: among('engine', engine),
		self: {
			containerId: undefined,
			image: 'holdfast',
			mounts: [],
			networks: [],
			networkMode: 'default',
			inherited: {limits: {}, names: {}, isolation: {}},
		},
		journal: {
			record: (run, undo) => (isDead() ? 0 : journal.record(run, undo)),
			clear: id => write(() => journal.clear(id)),
			open: journal.open,
		},
		agentId: 'a'.repeat(16),
		offline: true,
		ownership: () => ({agent: 'a'.repeat(16), isOurs: () => true, targetOf: ({target: filed}) => filed, namesOf: name => [name]}),
		host: 'host',
		versions: {holdfast: '1', restic: '1', engine: '1'},
		folder,
		restic: () => restic,
		hire: async () => workforce,
		keeper: {name: 'primary', restic: () => restic},
		restores: {
			saveRestore: record => write(() => restores.set(record.run, record)),
			restores: () => [...restores.values()],
			removeRestore: run => write(() => restores.delete(run)),
		},
	};
	return {...machine, workshop, among, calls, fail, death, told, tell: (event: Told) => void told.push(event)};
}

export type Scene = ReturnType<typeof memoryWorkshop>;

/** Containers that are not as they were. */
export const awayIn = ({engine}: Scene): string[] =>
	engine.states().flatMap(state => (state.endsWith(' running') ? [] : [state.split(' ')[0] ?? '']));

/** Who stood still is back; or it is written down for the next start, and named. */
export function assertBack(t: ExecutionContext, scene: Scene, {outcome, error = ''}: {outcome: string; error?: string | undefined}): void {
	const open = scene.workshop.journal.open().flatMap(({undo}) => undo.containerName);
	for (const name of awayIn(scene)) {
		t.true(open.includes(name), `${name} is away, and nobody knows: ${scene.calls.join(', ')}`);
		t.not(outcome, 'success');
		t.true(error.includes(name), `${error}: ${scene.calls.join(', ')}`);
	}
}

/** The same, and the workers are dismissed. */
export function assertOrdered(t: ExecutionContext, scene: Scene, result: {outcome: string; error?: string | undefined}): void {
	t.is(scene.calls.filter(call => call === 'workforce.dismiss').length, 1, 'dismissed once');
	assertBack(t, scene, result);
}
