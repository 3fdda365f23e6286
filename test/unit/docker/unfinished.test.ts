import test from 'ava';
import {explain} from '../../../base/errors.ts';
import type {Engine} from '../../../docker/engine.ts';
import type {Journal, JournalEntry, Undo} from '../../../docker/resume.ts';
import {undoUnfinished} from '../../../docker/unfinished.ts';
import {until} from '../../support/until.ts';

/** An engine of containers that are only states, and what was asked of it. */
function scene(states: Record<string, string>, undos: Undo[]) {
	const asked: string[] = [];
	let entries = undos.map((undo, index) => ({id: index + 1, run: 'run', undo}));
	const journal: Journal = {
		record: (run, undo) => entries.push({id: entries.length + 1, run, undo}),
		clear(id) {
			entries = entries.filter(entry => entry.id !== id);
		},
		open: () => entries,
	};
	const put = (verb: string) => async (id: string) => {
		asked.push(`${verb} ${id}`);
		states[id] = 'running';
	};
	const engine = {
		death: async () => undefined,
		async inspect(id: string) {
			if (states[id] === undefined) {
				throw Object.assign(new Error('no such container'), {statusCode: 404});
			}

			return {id, state: states[id], stopTimeoutSeconds: 0};
		},
		unpause: put('unpause'),
		start: put('start'),
	} as unknown as Engine;
	return {engine, journal, asked, states};
}

const undo = (kind: 'unpause' | 'start', id: string): Undo => ({kind, containerId: id, containerName: id});
const upTo = (last: number) => (entry: JournalEntry) => entry.id <= last;
const signal = new AbortController().signal;

test('puts back, newest first, and clears the journal', async t => {
	const {engine, journal, asked} = scene({a: 'paused', b: 'exited'}, [undo('unpause', 'a'), undo('start', 'b')]);
	t.deepEqual(await undoUnfinished({engine, journal, isWanted: upTo(2), signal}), {undone: ['b', 'a'], failures: [], removed: [], open: 0});
	t.deepEqual(asked, ['start b', 'unpause a']);
});

test('a container that is gone needs nothing; where there is no other of its name, that is told', async t => {
	for (const names of [[], ['a'], ['0123_a']]) {
		const {engine, journal, asked} = scene({}, [undo('unpause', 'a')]);
		const list = async () => names.map(name => ({name, state: 'running'}));
		const {undone, failures, removed, open} = await undoUnfinished({
			engine: {...engine, list} as unknown as Engine,
			journal,
			isWanted: upTo(1),
			signal,
		});
		t.deepEqual([undone, failures, open, asked], [names.length === 0 ? [] : ['a'], [], 0, []]);
		t.deepEqual(
			removed.map(({undo: {containerName}}) => containerName),
			names.length === 0 ? ['a'] : [],
		);
	}
});

test('a pause that the dead agent had asked for, and that happens only now, is undone', async t => {
	const {engine, journal, asked, states} = scene({a: 'running'}, [undo('unpause', 'a')]);
	setTimeout(() => {
		states.a = 'paused';
	}, 300);
	t.deepEqual(await undoUnfinished({engine, journal, isWanted: upTo(1), signal}), {undone: ['a'], failures: [], removed: [], open: 0});
	t.deepEqual(asked, ['unpause a']);
});

test('others do not wait for it', async t => {
	const {engine, journal, asked, states} = scene({a: 'paused', b: 'running'}, [undo('unpause', 'a'), undo('start', 'b')]);
	const working = undoUnfinished({engine, journal, isWanted: upTo(2), signal});
	await until('the other to be put back', () => asked.length > 0);
	t.deepEqual(asked, ['unpause a']);
	states.b = 'exited';
	t.deepEqual((await working).undone, ['a', 'b']);
});

test('what a run of this life has quiesced is left to that run', async t => {
	const {engine, journal, asked} = scene({a: 'paused'}, [undo('unpause', 'a'), undo('unpause', 'a')]);
	t.deepEqual(await undoUnfinished({engine, journal, isWanted: upTo(1), signal}), {undone: [], failures: [], removed: [], open: 1});
	t.deepEqual(asked, []);
});

test('what several lives that died one after the other left of one container is undone together', async t => {
	const {engine, journal, states} = scene({a: 'exited'}, [undo('start', 'a'), undo('start', 'a')]);
	t.is((await undoUnfinished({engine, journal, isWanted: upTo(2), signal})).open, 0);
	t.is(states.a, 'running');
});

for (const before of ['exited', 'running']) {
	test(`what a run of this life quiesces while the engine is asked is left to that run: ${before} before`, async t => {
		const {engine, journal, asked, states} = scene({a: before}, [undo('start', 'a')]);
		const late: Engine = {
			...engine,
			async inspect(id) {
				const details = await engine.inspect(id);
				// The run stops it while the answer, or the third one, is on its way.
				if (before === 'exited' || ++inspected === 3) {
					journal.record('new', undo('start', 'a'));
					states.a = 'exited';
					return {...details, state: 'exited'};
				}

				return details;
			},
		};
		let inspected = 0;
		t.deepEqual(await undoUnfinished({engine: late, journal, isWanted: upTo(1), signal}), {undone: [], failures: [], removed: [], open: 1});
		t.deepEqual(asked, []);
	});
}

test('a service of Swarm that a run of this life has scaled to nothing is left to that run, although its task is another container by now', async t => {
	const scaled = (task: string): Undo => ({
		kind: 'scale',
		containerId: task,
		containerName: task,
		service: 'service',
		serviceName: 'shop_app',
		replicas: 1,
	});
	let replicas = 0;
	for (const [undos, expected] of [
		[[scaled('one'), scaled('two')], []],
		[[scaled('one')], ['scale 1']],
	] as const) {
		const {engine, journal, asked} = scene({}, [...undos]);
		replicas = 0;
		Object.assign(engine, {
			service: async () => ({replicas}),
			async scale(_: string, wanted: number) {
				asked.push(`scale ${wanted}`);
				replicas = wanted;
			},
		});
		await undoUnfinished({engine, journal, isWanted: upTo(1), signal});
		t.deepEqual(asked, expected);
	}
});

test('what another has put back meanwhile may be stopped again', async t => {
	const {engine, journal, asked, states} = scene({a: 'running'}, [undo('start', 'a')]);
	const working = undoUnfinished({engine, journal, isWanted: upTo(1), signal});
	journal.clear(1);
	states.a = 'exited';
	t.deepEqual(await working, {undone: [], failures: [], removed: [], open: 0});
	t.deepEqual(asked, []);
});

test('an end of the agent leaves what is open to the next life', async t => {
	const {engine, journal} = scene({a: 'running'}, [undo('start', 'a')]);
	t.is((await undoUnfinished({engine, journal, isWanted: upTo(1), signal: AbortSignal.abort()})).open, 1);
});

test('a hook that ran, however it ended, is over; it comes after what its run has quiesced', async t => {
	const hook: Undo = {
		kind: 'hook',
		containerId: 'a',
		containerName: 'a',
		label: 'after',
		argv: ['fsfreeze', '--unfreeze', 's3cret'],
		timeoutMs: 1000,
	};
	const {engine, journal, asked} = scene({a: 'paused'}, [hook, undo('unpause', 'a')]);
	const {failures, open} = await undoUnfinished({
		engine: {
			...engine,
			async exec() {
				asked.push('exec a');
				throw new Error('fsfreeze: unfreeze failed: Invalid argument');
			},
		},
		journal,
		isWanted: upTo(2),
		signal,
	});
	t.deepEqual(asked, ['unpause a', 'exec a']);
	t.is(open, 0);
	t.is(failures.length, 1);
	t.regex(explain(failures[0]?.error), /hook `after` \(`fsfreeze`\) in container `a` failed.*Invalid argument/);
	t.notRegex(explain(failures[0]?.error), /s3cret/);
});

test('a hook that could not even begin stays open, and keeps nobody else waiting', async t => {
	const hook: Undo = {kind: 'hook', containerId: 'a', containerName: 'a', argv: ['true'], timeoutMs: 1000};
	const {engine, journal, asked} = scene({a: 'exited', b: 'exited'}, [hook, undo('start', 'b')]);
	const stopped = async () => {
		throw Object.assign(new Error('container is not running'), {statusCode: 409});
	};
	const {open} = await undoUnfinished({engine: {...engine, exec: stopped}, journal, isWanted: upTo(2), signal});
	t.deepEqual(asked, ['start b']);
	t.is(open, 1);
});

test('one that needs another is started when that is healthy', async t => {
	const needing: Undo = {...undo('start', 'app'), needs: ['db']} as Undo;
	const {engine, journal, asked, states} = scene({app: 'exited', db: 'exited'}, [needing, undo('start', 'db')]);
	let health = 'starting';
	const working = undoUnfinished({
		engine: {...engine, inspect: async id => ({...(await engine.inspect(id)), ...(id === 'db' && {health})})},
		journal,
		isWanted: upTo(2),
		signal,
	});
	await until('the first to be started', () => states.db === 'running');
	t.deepEqual(asked, ['start db']);
	health = 'healthy';
	t.deepEqual((await working).undone, ['db', 'app']);
});

test('what was paused and has ended is down, which is said once', async t => {
	const {engine, journal, asked} = scene({a: 'exited', b: 'exited'}, [undo('unpause', 'a'), undo('start', 'b')]);
	const {undone, failures, open} = await undoUnfinished({engine, journal, isWanted: upTo(2), signal});
	t.deepEqual([undone, open, asked], [['b'], 0, ['start b']]);
	t.deepEqual(
		failures.map(({entry}) => entry.undo.containerName),
		['a'],
	);
	t.regex(explain(failures[0]?.error), /container `a` was paused for a run, and has ended since .*it is down.*docker start a/);
});

test('who cannot be started yet is tried again while it is watched whether another ends', async t => {
	const {engine, journal, asked, states} = scene({refused: 'exited', slow: 'running'}, [undo('start', 'slow'), undo('start', 'refused')]);
	let isFree = false;
	const working = undoUnfinished({
		engine: {
			...engine,
			inspect: async id => ({...(await engine.inspect(id)), stopTimeoutSeconds: 600}),
			async start(id) {
				asked.push(`try ${id}`);
				if (!isFree && id === 'refused') {
					throw Object.assign(new Error('port is already allocated'), {statusCode: 500});
				}

				return engine.start(id);
			},
		},
		journal,
		isWanted: upTo(2),
		signal,
	});
	await until('it to be refused', () => asked.includes('try refused'));
	// Longer than one attempt is patient
	const given = Date.now() + 4000;
	await until('it to be given up once', () => Date.now() > given);
	isFree = true;
	await until('it to be started', () => states.refused === 'running');
	t.is(journal.open().length, 1, 'the other is watched still');
	states.slow = 'exited';
	t.deepEqual((await working).undone, ['refused', 'slow']);
});

for (const [what, signalled, isOver] of [
	['nobody has sent a signal', false, true],
	['a signal was sent', true, false],
	['the engine does not remember', undefined, false],
] as const) {
	test(`one that runs is watched for all the time that it has to end, unless nobody asked it to: ${what}`, async t => {
		const at = Date.now();
		const {engine, journal, states} = scene({a: 'running'}, [{...undo('start', 'a'), at} as Undo]);
		const asked: number[] = [];
		Object.assign(engine, {
			info: async () => ({time: Date.now() + 3_600_000}),
			inspect: async (id: string) => ({id, state: states[id], stopTimeoutSeconds: 600, startedAt: '2026-01-01T00:00:00Z'}),
			async signalled(_: string, since: number) {
				asked.push(since - at);
				return signalled;
			},
		});
		const working = undoUnfinished({engine, journal, isWanted: upTo(1), signal});
		await until('the engine to be asked', () => asked.length > 0, {timeout: 20_000});
		t.true(Math.abs((asked[0] ?? 0) - 3_540_000) < 1000, `by the engine's clock, less a minute: ${asked[0]}`);
		if (isOver) {
			t.deepEqual(await working, {undone: [], failures: [], removed: [], open: 0});
		} else {
			t.is(journal.open().length, 1);
			states.a = 'exited';
			t.deepEqual((await working).undone, ['a']);
		}
	});
}
