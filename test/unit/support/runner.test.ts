import test from 'ava';
import fc from 'fast-check';
import {coverOf} from '../../support/laws/cover.ts';
import {laneOf, lanes, partOf} from '../../support/runner/files.ts';
import {nextOf, share, type Waiting} from '../../support/runner/queue.ts';
import {shareOf} from '../../support/runner/share.ts';
import {familyOf, outOfTurn} from '../../support/runner/turns.ts';

test('a file says in its first comment what it does to the machine', t => {
	t.is(laneOf('x', "/** What is killed. Lane: waits. */\nimport test from 'ava';"), 'waits');
	t.is(laneOf('x', '/** Nothing. */\n/** Lane: waits. */'), 'works');
	t.is(laneOf('x', "import test from 'ava';"), 'works');
	t.throws(() => laneOf('test/x.test.ts', '/** Lane: sleeps. */'), {
		message: 'test/x.test.ts: `Lane: sleeps` is none of rests, waits, works, measures',
	});
});

test('when a file runs is said by its name', t => {
	t.deepEqual(['a.test.ts', 'a.engine.test.ts', 'a.night.test.ts'].map(partOf), ['unit', 'engine', 'night']);
});

const someFiles = fc
	.array(fc.record({lane: fc.constantFrom(...lanes), seconds: fc.integer({min: 1, max: 900})}), {maxLength: 30})
	.map(list => list.map((each, index): Waiting => ({...each, file: `file ${index}`})));

test('every file has its turn, never are there more than the machine bears, and what measures is alone', t => {
	fc.assert(
		fc.property(someFiles, fc.infiniteStream(fc.nat()), (files, ends) => {
			const waiting = new Set(files);
			const running: Waiting[] = [];
			const done: Waiting[] = [];
			while (waiting.size + running.length > 0) {
				for (let next = nextOf([...waiting], running); next; next = nextOf([...waiting], running)) {
					waiting.delete(next);
					running.push(next);
				}

				t.true(running.length > 0 && running.reduce((total, {lane}) => total + share[lane], 0) <= 6);
				const isQuiet = running.every(({lane}) => lane !== 'measures');
				t.true(isQuiet || (running.length === 1 && [...waiting].every(({lane}) => lane === 'measures')));
				done.push(...running.splice((ends.next().value ?? 0) % running.length, 1));
			}

			t.is(new Set(done).size, files.length);
		}),
		{numRuns: 200},
	);
});

test('the longest begins first; three that wait, or two that work; two that rest are as one that waits', t => {
	const files = (lane: Waiting['lane']) => [1, 3, 2, 5, 4].map(seconds => ({file: `${lane} ${seconds}`, lane, seconds}));
	t.is(nextOf(files('waits'), [])?.seconds, 5);
	t.is(nextOf(files('waits'), files('waits').slice(0, 3)), undefined);
	t.is(nextOf(files('works'), files('works').slice(0, 1))?.seconds, 5);
	t.is(nextOf(files('works'), files('works').slice(0, 2)), undefined);
	t.is(nextOf(files('waits'), [...files('waits').slice(0, 2), ...files('rests').slice(0, 1)]), undefined);
	t.is(nextOf(files('rests'), [...files('waits').slice(0, 2), ...files('rests').slice(0, 1)])?.seconds, 5);
});

test('one more runs while the processors are idle, up to five in all; beside what measures, none', t => {
	const one = (lane: Waiting['lane']): Waiting => ({file: lane, lane, seconds: 1});
	const [waits, works, measures] = [one('waits'), one('works'), one('measures')];
	t.is(nextOf([waits], [waits, waits, waits], 0.2), undefined);
	t.is(nextOf([waits], [waits, waits, waits], 0.5), waits);
	t.is(nextOf([waits], [waits, waits, waits, waits], 0.5), waits);
	t.is(nextOf([waits], [waits, waits, waits, waits, waits], 0.9), undefined);
	t.is(nextOf([works], [waits, waits, waits], 0.9), works);
	t.is(nextOf([waits], [measures], 0.9), undefined);
	t.is(nextOf([measures], [waits], 0.9), undefined);
});

test('of a family a quarter runs for each commit, and each has its turn', t => {
	t.is(familyOf('/** Lane: waits. Turns: repository. */'), 'repository');
	t.is(familyOf('/** Lane: waits. */\n/** Turns: none. */'), undefined);
	const files = Array.from({length: 12}, (_, index) => ({file: `${index}`, family: index < 2 ? undefined : index < 4 ? 'few' : 'many'}));
	const ran = new Set<string>();
	for (let commit = 0; commit < 60; commit++) {
		const out = outOfTurn(files, `commit ${commit}`);
		t.deepEqual(outOfTurn(files, `commit ${commit}`), out);
		const running = files.filter(({file}) => !out.has(file));
		t.deepEqual(
			['few', 'many', undefined].map(family => running.filter(each => each.family === family).length),
			[1, 2, 2],
		);
		for (const {file} of running) {
			ran.add(file);
		}
	}

	t.is(ran.size, files.length);
});

test('a share of the night is the same for a seed, keeps to its time, and over the seeds leaves nobody out', t => {
	const night = Array.from({length: 12}, (_, index) => ({file: `night ${index}`, lane: 'works' as const, seconds: 60 + 80 * index}));
	const seen = new Set<string>();
	for (let commit = 0; commit < 60; commit++) {
		const drawn = shareOf(night, `commit ${commit}`, 14 * 60);
		t.deepEqual(shareOf(night.toReversed(), `commit ${commit}`, 14 * 60), drawn);
		t.true(drawn.reduce((total, {seconds}) => total + seconds / 2, 0) <= 14 * 60);
		for (const {file} of drawn) {
			seen.add(file);
		}
	}

	t.is(seen.size, night.length);
	t.deepEqual(shareOf(night.slice(11), 'one that takes longer than there is time', 60), night.slice(11));
});

test('a cover has each kind of step and each victim, what is always tried, and little else', t => {
	const steps = ['plan', 'workers', 'quiesce one', 'quiesce two', 'pin', 'resume', 'store volume:/data', 'publish'];
	const victims = ['agent', 'worker', 'restic'];
	const all = steps.flatMap(step => victims.map(victim => ({name: `${victim} at ${step}`, step, victim})));
	const seen = new Set<string>();
	for (let commit = 0; commit < 40; commit++) {
		const cover = coverOf(all, `commit ${commit}`);
		t.deepEqual(coverOf(all, `commit ${commit}`), cover);
		t.is(new Set(cover.map(({step}) => step.split(' ', 1)[0])).size, steps.length - 1, 'both containers are quiesced alike');
		t.is(new Set(cover.map(({victim}) => victim)).size, victims.length);
		for (const step of ['quiesce', 'pin', 'resume', 'publish']) {
			t.true(
				cover.some(({name}) => name.startsWith(`agent at ${step}`)),
				step,
			);
		}

		t.true(cover.length <= steps.length + 4, `${cover.length}`);
		for (const {name} of cover) {
			seen.add(name);
		}
	}

	t.is(seen.size, all.length, 'every pair has its turn');
});
