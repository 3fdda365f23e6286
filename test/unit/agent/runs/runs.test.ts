import test, {type ExecutionContext} from 'ava';
import {createRuns, type RunContext} from '../../../../agent/runs/runs.ts';
import {openState} from '../../../../agent/state/state.ts';
import {BusyError, NotFoundError, UsageError} from '../../../../base/errors.ts';
import {createEventHub, type RunEvent} from '../../../../base/events.ts';
import {type BackupResult, repositoryTarget} from '../../../../base/results.ts';
import {openOnDisk} from '../../../support/doubles/disk.ts';
import {scratchState} from '../../../support/doubles/scratch-state.ts';

function setUp(t: ExecutionContext, concurrency = 2) {
	const state = scratchState(t);
	const hub = createEventHub(error => t.fail(String(error)));
	return {state, hub, runs: createRuns({state, hub, concurrency})};
}

const resultOf = ({run, startedAt}: RunContext, outcome: BackupResult['outcome'] = 'success'): BackupResult => ({
	run,
	target: 'app',
	outcome,
	point: null,
	startedAt: startedAt.toISOString(),
	durationSeconds: 0,
	quiesceSeconds: 0,
	sources: [],
});

const job = (target: string, work: (context: RunContext) => Promise<BackupResult>) => ({
	operation: 'backup' as const,
	target,
	trigger: 'test',
	work,
});

async function collect(events: AsyncIterable<RunEvent>): Promise<string[]> {
	const types: string[] = [];
	for await (const event of events) {
		types.push(event.type);
	}

	return types;
}

test('what touches nothing of its target goes on beside another run of it, but not beside its like', async t => {
	const {runs} = setUp(t);
	const gate = Promise.withResolvers<void>();
	const waiting = async (context: RunContext) => {
		await gate.promise;
		return resultOf(context);
	};
	const drill = {...job('a', waiting), operation: 'drill' as const, beside: true};
	const rehearsed = runs.start(drill);
	t.is(runs.current('a'), rehearsed.run);
	t.throws(() => runs.start(drill), {instanceOf: BusyError});
	await runs.start(job('a', async context => resultOf(context))).finished;
	const backup = runs.start(job('a', waiting));
	t.is(runs.current('a'), backup.run);
	gate.resolve();
	await Promise.all([rehearsed.finished, backup.finished]);
	t.is(runs.current('a'), undefined);
});

test('a target has one run at a time; another one may run beside it', async t => {
	const {runs} = setUp(t);
	const gate = Promise.withResolvers<void>();
	const first = runs.start(
		job('a', async context => {
			await gate.promise;
			return resultOf(context);
		}),
	);
	t.throws(() => runs.start(job('a', async context => resultOf(context))), {instanceOf: BusyError, message: new RegExp(first.run)});
	await runs.start(job('b', async context => resultOf(context))).finished;
	gate.resolve();
	await first.finished;
	t.is(runs.current('a'), undefined);
	await runs.start(job('a', async context => resultOf(context))).finished;
});

test('no more runs at once than the limit', async t => {
	const {runs} = setUp(t, 2);
	let now = 0;
	let most = 0;
	const work = async (context: RunContext) => {
		most = Math.max(most, ++now);
		await new Promise(setImmediate);
		now--;
		return resultOf(context);
	};
	await Promise.all(['a', 'b', 'c', 'd', 'e'].map(target => runs.start(job(target, work)).finished));
	t.is(most, 2);
});

test('a follower gets what was told before and after it came, and ends with the run', async t => {
	const {runs} = setUp(t);
	const gate = Promise.withResolvers<void>();
	const {run, finished} = runs.start(
		job('a', async context => {
			context.tell({type: 'step', step: 'plan'});
			await gate.promise;
			context.tell({type: 'warning', message: 'look'});
			return resultOf(context);
		}),
	);
	const early = collect(runs.follow(run, new AbortController().signal));
	gate.resolve();
	await finished;
	const late = collect(runs.follow(run, new AbortController().signal));
	const all = ['queued', 'step', 'warning', 'finished'];
	t.deepEqual(await early, all);
	t.deepEqual(await late, all);
	t.throws(() => runs.follow('nothing', new AbortController().signal), {instanceOf: NotFoundError});
});

test('a follower that leaves ends at once', async t => {
	const {runs} = setUp(t);
	const gate = Promise.withResolvers<void>();
	const {run, finished} = runs.start(
		job('a', async context => {
			await gate.promise;
			return resultOf(context);
		}),
	);
	const leave = new AbortController();
	const events = collect(runs.follow(run, leave.signal));
	leave.abort();
	t.deepEqual(await events, ['queued']);
	gate.resolve();
	await finished;
});

test('cancel reaches the work and waits for it', async t => {
	const {runs, state} = setUp(t);
	const {run} = runs.start(
		job('a', async context => {
			await new Promise(resolve => context.signal.addEventListener('abort', resolve));
			return resultOf(context, 'failed');
		}),
	);
	await new Promise(setImmediate);
	await runs.cancel(run);
	t.is(state.findRun(run)?.outcome, 'failed');
	await t.throwsAsync(runs.cancel(run), {instanceOf: UsageError});
	await t.throwsAsync(runs.cancel('nothing'), {instanceOf: NotFoundError});
});

test('an exclusive run is alone, and a run that waits for it can be cancelled at once', async t => {
	const {runs, state} = setUp(t);
	const gate = Promise.withResolvers<void>();
	const order: string[] = [];
	const step = (name: string, until?: Promise<void>) => async (context: RunContext) => {
		if (context.signal.aborted) {
			return resultOf(context, 'failed');
		}

		order.push(name);
		await until;
		return resultOf(context);
	};
	const first = runs.start(job('a', step('a', gate.promise)));
	const alone = runs.start({...job(repositoryTarget('primary'), step('alone')), exclusive: true});
	const cancelled = runs.start(job('b', step('b')));
	const later = runs.start(job('c', step('c')));
	t.throws(() => runs.start(job(repositoryTarget('primary'), step('other'))), {instanceOf: BusyError});
	await runs.cancel(cancelled.run);
	t.is(state.findRun(cancelled.run)?.outcome, 'failed');
	t.is(state.findRun(alone.run)?.state, 'queued');
	gate.resolve();
	await Promise.all([first.finished, alone.finished, later.finished]);
	t.deepEqual(order, ['a', 'alone', 'c']);
});

test('after close nothing begins, and what was under way is cancelled', async t => {
	const {runs} = setUp(t);
	const {finished} = runs.start(
		job('a', async context => {
			await new Promise(resolve => context.signal.addEventListener('abort', resolve));
			return resultOf(context, 'failed');
		}),
	);
	await new Promise(setImmediate);
	await runs.close();
	t.is((await finished).outcome, 'failed');
	t.throws(() => runs.start(job('b', async context => resultOf(context))), {instanceOf: BusyError});
});

test('who waits for another run gives its turn to others, and says for whom it waits', async t => {
	const {state, runs} = setUp(t, 2);
	const gate = Promise.withResolvers<void>();
	const touched = [{container: 'app', alone: true}];
	const holding = runs.start(
		job('a', async context => {
			t.false(await context.hold(touched));
			await gate.promise;
			return resultOf(context);
		}),
	);
	const waiting = runs.start(
		job('b', async context => {
			t.true(await context.hold(touched));
			return resultOf(context);
		}),
	);
	// Of two turns one is held and the other given back.
	t.is((await runs.start(job('c', async context => resultOf(context))).finished).outcome, 'success');
	t.is(runs.waitsFor(waiting.run), `run ${holding.run} (backup of a)`);
	t.true(state.events(waiting.run).some(event => event.type === 'step' && event.step === 'wait' && event.subject?.includes(holding.run)));
	gate.resolve();
	t.is((await waiting.finished).outcome, 'success');
	t.is(runs.waitsFor(waiting.run), undefined);
});

test('a run that gets no further fails, says where it stood and what was heard last, and gives its turn back', async t => {
	const state = scratchState(t);
	const runs = createRuns({state, hub: createEventHub(() => {}), concurrency: 1, stallLimitMs: 300});
	let reason: unknown;
	const hung = runs.start(
		job('app', async context => {
			context.tell({type: 'step', step: 'store', subject: 'postgres:app'});
			context.tell({type: 'warning', message: 'the storage does not answer'});
			const beat = setInterval(() => context.tell({type: 'progress', source: 'postgres:app', bytes: 7}), 20);
			await new Promise(resolve => context.signal.addEventListener('abort', resolve));
			clearInterval(beat);
			reason = context.signal.reason;
			return resultOf(context, 'failed');
		}),
	);
	const next = runs.start(job('other', async context => resultOf(context)));
	await Promise.all([hung.finished, next.finished]);
	t.regex(String(reason), /no progress for .* in step `store` of `postgres:app`/);
});

test('numbers that change, and workers that do something, keep a run from being taken for stuck', async t => {
	const state = scratchState(t);
	let busy = 0;
	const activity = () => async () => ++busy < 20;
	const runs = createRuns({state, hub: createEventHub(() => {}), concurrency: 2, stallLimitMs: 300, activity});
	const {finished} = runs.start(
		job('app', async context => {
			let bytes = 0;
			while (busy < 10) {
				await new Promise(resolve => setTimeout(resolve, 20));
				context.signal.throwIfAborted();
			}

			const until = Date.now() + 500;
			while (Date.now() < until) {
				context.tell({type: 'progress', source: 'volume:/data', bytes: bytes++});
				await new Promise(resolve => setTimeout(resolve, 20));
				context.signal.throwIfAborted();
			}

			return resultOf(context);
		}),
	);
	t.is((await finished).outcome, 'success');
});

test('equal warnings are told once, and at the end how many there were', async t => {
	const {runs, hub} = setUp(t);
	const told: string[] = [];
	hub.listen(event => told.push(event.type === 'warning' ? event.message : event.type));
	await runs.start(
		job('a', async context => {
			for (let count = 0; count < 40; count++) {
				context.tell({type: 'warning', message: 'it is slow'});
			}

			context.tell({type: 'warning', message: 'it is late'});
			return resultOf(context);
		}),
	).finished;
	t.deepEqual(told, ['queued', 'it is slow', 'it is late', '40 times: it is slow', 'finished']);
});

test('a run goes on, and its end is known, where nothing of it can be written down; that is done when there is room', async t => {
	const {state, disk, reported, path} = openOnDisk(t);
	const hub = createEventHub(error => t.fail(String(error)));
	const runs = createRuns({state, hub, concurrency: 1});
	const gate = Promise.withResolvers<void>();
	const first = runs.start(
		job('a', async context => {
			await gate.promise;
			context.tell({type: 'step', step: 'swap'});
			context.tell({type: 'warning', message: 'odd'});
			return resultOf(context);
		}),
	);
	const heard = collect(runs.follow(first.run, new AbortController().signal));
	disk.fill();
	gate.resolve();
	t.is((await first.finished).outcome, 'success');
	t.deepEqual((await heard).slice(-3), ['step', 'warning', 'finished']);
	t.is(reported.length, 1);
	t.throws(() => runs.start(job('b', async context => resultOf(context))), {message: /cannot be written/}, 'no run begins');
	t.like(state.findRun(first.run), {state: 'finished', outcome: 'success'});
	t.deepEqual((await collect(runs.follow(first.run, new AbortController().signal))).at(-1), 'finished', 'who asks later waits for nothing');
	disk.empty();
	await runs.start(job('b', async context => resultOf(context))).finished;
	const other = openState(path);
	t.teardown(() => other.close());
	t.like(other.findRun(first.run), {state: 'finished', outcome: 'success'});
});

test('who follows a run that is over hears its end, although nobody could tell it: its agent died then, or its events were let go', async t => {
	const {state, runs} = setUp(t);
	state.insertRun({run: 'r1', target: 'app', operation: 'backup', trigger: 'test', queuedAt: 1});
	state.finishRun('r1', 2, {...resultOf({run: 'r1', startedAt: new Date(1)} as RunContext, 'failed'), error: 'odd'});
	const [event, ...others] = await Array.fromAsync(runs.follow('r1', AbortSignal.timeout(5000)));
	t.deepEqual(others, []);
	t.like(event, {type: 'finished', operation: 'backup', at: 2, result: {outcome: 'failed', error: 'odd'}});
});

test('who finds late what another has in hand waits for it, gives its turn meanwhile, and lets go of nothing', async t => {
	const {runs} = setUp(t, 2);
	const container = (name: string) => ({container: name, alone: true});
	const [isHeld, mayEnd, isWaitedFor] = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
	const order: string[] = [];
	const work = (target: string, does: (context: RunContext) => Promise<unknown>) =>
		runs.start(
			job(target, async context => {
				await does(context);
				order.push(target);
				return resultOf(context);
			}),
		);
	const all = [
		work('has cache', async ({hold}) => {
			await hold([container('cache')]);
			isHeld.resolve();
			await mayEnd.promise;
		}),
		work('has app, and needs cache', async ({hold, holdMore}) => {
			await hold([container('app')]);
			await isHeld.promise;
			await holdMore([container('cache')]);
		}),
		work('has the turn', async () => isWaitedFor.resolve()),
		work('needs app', async ({hold}) => hold([container('app')])),
	];
	await isWaitedFor.promise;
	mayEnd.resolve();
	await Promise.all(all.map(({finished}) => finished));
	t.deepEqual(
		order.filter(each => each !== 'has the turn'),
		['has cache', 'has app, and needs cache', 'needs app'],
	);
});

test('who waits for more in vain says who has it; a cancel ends the waiting', async t => {
	const {runs} = setUp(t);
	const [gate, isWaiting] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
	const has = runs.start(
		job('a', async context => {
			await context.hold([{container: 'app', alone: true}]);
			await gate.promise;
			return resultOf(context);
		}),
	);
	const wants = runs.start(
		job('b', async context => {
			const waited = context.holdMore([{container: 'app', alone: true}]).catch(() => {});
			isWaiting.resolve();
			await waited;
			t.true(context.signal.aborted);
			return resultOf(context, 'failed');
		}),
	);
	await isWaiting.promise;
	t.regex(runs.waitsFor(wants.run) ?? '', new RegExp(`run ${has.run} \\(backup of a\\)`));
	await runs.cancel(wants.run);
	gate.resolve();
	await has.finished;
});
