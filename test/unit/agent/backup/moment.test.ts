/** The moment on doubles of the engine and of the crew: whatever rejects, everybody is put back, and what the hooks did is undone, now or at the next start. */
import test from 'ava';
import fc from 'fast-check';
import {moment} from '../../../../agent/backup/moment.ts';
import {explain, PinBlockedError} from '../../../../base/errors.ts';
import {type Fault, faulty, withoutWaiting} from '../../../support/doubles/faults.ts';
import {liveOn} from '../../../support/doubles/next-life.ts';
import {
	assertBack,
	awayIn,
	eachDeath,
	hooks,
	memoryWorkshop,
	plan,
	type Scene,
	slowlyBefore,
	someDeaths,
	someFaults,
} from '../../../support/doubles/workshop.ts';

interface Setting {
	/** How many tries a paused writer's lock refuses. */
	locked?: number;
	hooked?: boolean;
}

function passOf(scene: Scene, {locked = 0, hooked = true}: Setting = {}) {
	const {engine, workshop, tell} = scene;
	const seen: string[] = [];
	const windows: number[] = [];
	let tries = 0;
	const look = (verb: string) => seen.push(`${verb}: ${engine.states().join(', ')}`);
	const crew = {
		async arm() {
			look('arm');
		},
		async pinBefore() {
			look('pinBefore');
		},
		async pin() {
			look('pin');
			if (++tries <= locked) {
				throw new PinBlockedError('app.db is locked', {hint: 'let go of it'});
			}
		},
	};
	const pass = async () =>
		moment(
			{
				...workshop,
				run: 'r1',
				plan: {...plan, hooks: hooked ? hooks : []},
				signal: new AbortController().signal,
				tell,
				onTry() {
					look('try');
				},
				onWarning() {},
				onWindow: windowMs => windows.push(windowMs),
			},
			scene.among('crew', crew),
		).then(
			() => undefined,
			(reason: unknown) => explain(reason),
		);
	return {seen, windows, pass};
}

async function passWith(faults: readonly Fault[], setting?: Setting) {
	const scene = memoryWorkshop('');
	scene.fail(faults);
	const {seen, windows, pass} = passOf(scene, setting);
	const error = await withoutWaiting(pass);
	return {scene, seen, windows, error, told: scene.told};
}

const awake = 'app running, web running';
const asleep = 'app paused, web exited';

test.serial('armed while the target runs, pinned while it stands still, between its hooks', async t => {
	const {seen, error, scene} = await passWith([]);
	t.is(error, undefined);
	t.deepEqual(seen, [`try: ${awake}`, `arm: ${awake}`, `pinBefore: ${awake}`, `pin: ${asleep}`]);
	t.deepEqual(scene.engine.executed, ['app hook before', 'app hook after']);
	t.deepEqual(scene.workshop.journal.open(), []);
});

test.serial('a lock is waited for with the target awake, four times; the outage is that of all tries together', async t => {
	const patient = await passWith([], {locked: 3});
	t.is(patient.error, undefined);
	t.is(patient.seen.filter(line => line === `pin: ${asleep}`).length, 4);
	t.true(patient.seen.filter(line => !line.startsWith('pin:')).every(line => line.endsWith(awake)));
	t.deepEqual(
		patient.windows,
		patient.windows.toSorted((one, other) => one - other),
	);
	const refused = await passWith([], {locked: 4});
	t.regex(refused.error ?? '', /^gave up after 4 tries: app\.db is locked \(let go of it\)$/);
	t.deepEqual(awayIn(refused.scene), []);
});

test.serial('whatever fails: everybody is back, and the hook that belongs after has run, or is written down', async t => {
	const {scene: undisturbed} = await passWith([], {locked: 1});
	await fc.assert(
		fc.asyncProperty(someFaults(undisturbed.calls.length), fc.nat(2), async (faults, locked) => {
			const {scene, seen, error} = await passWith(faults, {locked});
			const {engine, workshop, calls} = scene;
			assertBack(t, scene, {outcome: error === undefined ? 'success' : 'failed', error});
			t.true(
				seen.every(line => !line.startsWith('pin:') || line === `pin: ${asleep}`),
				seen.join('; '),
			);
			const isWritten = workshop.journal.open().some(({undo}) => undo.kind === 'hook');
			const isUndone = engine.executed.includes('app hook after') || isWritten;
			t.true(isUndone || !engine.executed.includes('app hook before'), calls.join(', '));
			t.true(error !== undefined || seen.filter(line => line.startsWith('pin:')).length === locked + 1);
		}),
		{numRuns: 1200},
	);
});

test.serial('without hooks the same', async t => {
	const {scene: undisturbed} = await passWith([], {hooked: false});
	await fc.assert(
		fc.asyncProperty(someFaults(undisturbed.calls.length), async faults => {
			const {scene, error} = await passWith(faults, {hooked: false});
			t.true(faults.length > 0 || error === undefined, error);
			assertBack(t, scene, {outcome: error === undefined ? 'success' : 'failed', error});
		}),
		{numRuns: 100},
	);
});

test.serial(
	'whenever the agent is killed, and its next lives, too: everybody is back, and the hook that belongs after has run',
	async t => {
		const setting = {locked: 1};
		const {scene: undisturbed} = await passWith([], setting);
		const examples = eachDeath(undisturbed.calls.length);
		await fc.assert(
			fc.asyncProperty(someDeaths(undisturbed.calls.length), async faults => {
				const scene = memoryWorkshop('');
				scene.engine.execMs = slowlyBefore;
				const {engine, workshop} = await withoutWaiting(async () => liveOn(scene, passOf(scene, setting).pass, faults));
				const calls = scene.calls.join(', ');
				t.is(engine.states().join(', '), awake, calls);
				t.deepEqual(workshop.journal.open(), [], calls);
				t.true(!engine.executed.includes('app hook before') || engine.executed.at(-1) === 'app hook after', calls);
			}),
			{numRuns: examples.length + 300, examples},
		);
	},
);

test('faults are counted from the first call', async t => {
	const {among, calls, fail} = faulty();
	fail([{at: 1, how: 'is refused'}]);
	const double = among('double', {verb: async (word: string) => word});
	t.is(await double.verb('one'), 'one');
	await t.throwsAsync(double.verb('two'), {message: 'double.verb two is refused'});
	t.deepEqual(calls, ['double.verb one', 'double.verb two']);
});
