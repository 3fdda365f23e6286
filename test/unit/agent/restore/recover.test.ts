/** What becomes of restores that nobody ended: which are rolled back by themselves, and which only by a person. */
import {setImmediate, setTimeout as setTimeoutPromise} from 'node:timers/promises';
import test from 'ava';
import {type RestoreWorkshop, restoreRun} from '../../../../agent/restore/context.ts';
import {isHeldBack, keepRecoveringRestores, recoverRestores, settleRestores} from '../../../../agent/restore/recover.ts';
import type {Settle} from '../../../../agent/restore/settle.ts';
import type {RestorePhase, RestoreRecord} from '../../../../agent/state/restores.ts';
import type {State} from '../../../../agent/state/state.ts';
import {createEventHub} from '../../../../base/events.ts';
import type {Log} from '../../../../base/log.ts';
import type {Journal, Undo} from '../../../../docker/resume.ts';
import {withoutWaiting} from '../../../support/doubles/faults.ts';

const record = (run: string, phase: RestorePhase, settledBy: string | null = null, unjudged: readonly string[] = []): RestoreRecord => ({
	run,
	target: 'shop/app',
	point: 'p',
	phase,
	replacements: [],
	swappedAt: null,
	ran: [],
	settledBy,
	unjudged,
	keptIn: 'primary',
});

const undo: Undo = {kind: 'start', containerId: 'c', containerName: 'app'};

function stateOf(...records: RestoreRecord[]) {
	const kept = new Map(records.map(each => [each.run, each]));
	const open: ReturnType<Journal['open']> = [];
	const told: string[] = [];
	const unfinished = new Set<string>();
	const ended: string[] = [];
	const state = {
		restores: () => [...kept.values()],
		saveRestore: (each: RestoreRecord) => void kept.set(each.run, each),
		removeRestore: (run: string) => void kept.delete(run),
		open: () => open,
		interruptedRuns: () => [...unfinished].map(run => ({run, target: 'shop/app', operation: 'restore'})),
		finishRun(run: string, _at: number, {outcome, error}: {outcome: string; error?: string}) {
			unfinished.delete(run);
			ended.push(`${run} ${outcome}${error === undefined ? '' : `: ${error}`}`);
		},
		appendEvent() {},
		tellOnce: Object.assign((subject: string) => told.push(subject) > 0, {told}),
	};
	return {state, open, unfinished, ended, phase: (run: string) => kept.get(run)?.phase};
}

const engine = {removeVolume: async () => {}} as unknown as RestoreWorkshop['engine'];

/** A run that breaks off in its work, in this life of the agent. */
async function fail({state}: ReturnType<typeof stateOf>, run: string, isTriedAgain = false) {
	const hire = async () => ({dismiss: async () => {}});
	const workshop = {engine, hire, agentId: 'a', self: {}, restores: state, journal: state} as unknown as RestoreWorkshop;
	return restoreRun(workshop, {run, target: 'shop/app', point: 'p', tell() {}, isTriedAgain}, async () => {
		throw new Error('it breaks');
	});
}

test('a restore or an undo that ends half done is left to a person, because the application runs on', async t => {
	for (const phase of ['swapping', 'undoing'] as const) {
		const all = stateOf(record('r1', phase, phase === 'undoing' ? 'u1' : null));
		t.is((await fail(all, phase === 'undoing' ? 'u1' : 'r1')).outcome, 'failed');
		t.is(all.phase('r1'), 'failed');
		t.deepEqual(await settledBy(all), [], 'it is settled by nobody');
	}
});

test('where all is as it was, and only what was loaded is still there, nothing is left to a person: the next start removes it', async t => {
	for (const phase of ['swapping', 'undoing'] as const) {
		const replacement = {source: 'postgres:shop', touched: false} as unknown as RestoreRecord['replacements'][number];
		const all = stateOf({...record('r1', phase), replacements: [replacement, {...replacement, source: 'volume:/data'}]});
		await fail(all, 'r1');
		t.is(all.phase('r1'), 'loading');
		t.deepEqual(await settledBy(all), ['r1']);

		const half = stateOf({...record('r1', phase), replacements: [replacement, {...replacement, touched: true}]});
		await fail(half, 'r1');
		t.is(half.phase('r1'), 'failed');
	}
});

test('where the application could not be started, it stays half done, and its start is held back', async t => {
	const all = stateOf(record('r1', 'swapping'));
	all.open.push({id: 1, run: 'r1', undo});
	await fail(all, 'r1');
	t.is(all.phase('r1'), 'swapping');
	t.true(all.open.every(entry => isHeldBack(entry, all.state)));
	t.deepEqual(await settledBy(all), ['r1']);
});

test('what was only loaded, or is whole, stays as it is; and so does what a recovery goes on with', async t => {
	for (const phase of ['loading', 'swapped', 'finishing'] as const) {
		const all = stateOf(record('r1', phase));
		await fail(all, 'r1');
		t.is(all.phase('r1'), phase);
	}

	const all = stateOf(record('r1', 'undoing', 'u1'));
	await fail(all, 'u1', true);
	t.is(all.phase('r1'), 'undoing');
});

test('putting back what a restore did that its agent did not survive has a trigger of its own; going on with what a person asked for has not', async t => {
	const triggers: string[] = [];
	const settle: Settle = ({run}, verb, {trigger}) => {
		triggers.push(`${run} ${verb} ${trigger}`);
		return {run, finished: Promise.resolve({outcome: 'success'})} as unknown as ReturnType<Settle>;
	};
	const all = stateOf(
		record('r1', 'swapping'),
		record('r2', 'undoing', 'u2'),
		record('r3', 'undoing', 'u3'),
		record('r4', 'finishing', 'u4'),
	);
	Object.assign(all.state, {findRun: (run: string) => ({trigger: run === 'u2' ? 'roll-back' : 'cli'})});
	await recoverRestores(
		{...recoveryOf(all.state), isGone: async () => false},
		{settle, upTo: 9, isUnderWay: () => false, signal: new AbortController().signal},
	);
	t.deepEqual(triggers, ['r1 undo roll-back', 'r2 undo roll-back', 'r3 undo recovery', 'r4 finish recovery']);
});

/** Which restores an agent that starts now settles by itself. */
async function settledBy({state}: ReturnType<typeof stateOf>, isGone = false): Promise<string[]> {
	const settled: string[] = [];
	const settle: Settle = ({run}) => {
		settled.push(run);
		state.removeRestore(run);
		return {run: 'u9', finished: new Promise(() => {})};
	};
	const ending = new AbortController();
	void recoverRestores(
		{...recoveryOf(state), isGone: async () => isGone},
		{settle, upTo: 9, isUnderWay: () => false, signal: ending.signal},
	);
	await setImmediate();
	ending.abort();
	return settled;
}

const recoveryOf = (state: ReturnType<typeof stateOf>['state']) => ({
	engine,
	state: state as unknown as State,
	hub: createEventHub(() => {}),
	log: {debug() {}, info() {}, warning() {}, error() {}} satisfies Log,
	notices: {send() {}},
	isGone: async () => false,
});

test('what a run of this life left half done is put back when it is over, and not before', async t => {
	const all = stateOf(record('r1', 'swapping'), record('r2', 'undoing', 'u2'), record('r3', 'failed'), record('r4', 'loading'));
	const underWay = new Set(['u2']);
	const settled: string[] = [];
	const ending = new AbortController();
	const settle: Settle = ({run}) => {
		settled.push(run);
		all.state.removeRestore(run);
		ending.abort();
		return {run: 'u9', finished: Promise.resolve({outcome: 'success'} as never)};
	};
	await keepRecoveringRestores(recoveryOf(all.state), {settle, isUnderWay: run => underWay.has(run), signal: ending.signal});
	t.deepEqual(settled, ['r1']);
});

test('of a target that is gone nothing is tried: people are told once', async t => {
	const all = stateOf(record('r1', 'loading'));
	t.deepEqual(await settledBy(all, true), []);
	t.deepEqual(all.state.tellOnce.told, ['kept r1']);
});

/** What becomes of a restore whose application was started, and not judged, when the agent ended. */
async function judged(health: string, change: (all: ReturnType<typeof stateOf>) => void = () => {}, more: object = {}) {
	const all = stateOf(record('r1', 'swapped', null, ['app']));
	all.unfinished.add('r1');
	const settled: string[] = [];
	const settle: Settle = ({run, phase}) => {
		settled.push(`${run} ${phase}`);
		all.state.removeRestore(run);
		return {run: 'u9', finished: Promise.resolve({outcome: 'success'} as never)};
	};
	const seeing = {
		...engine,
		list: async () => [{id: 'c', name: 'app'}],
		async inspect() {
			change(all);
			return {state: health === 'down' ? 'exited' : 'running', health, exitCode: 0, startedAt: ''};
		},
		...more,
	} as unknown as RestoreWorkshop['engine'];
	await recoverRestores(
		{...recoveryOf(all.state), engine: seeing},
		{settle, upTo: 9, isUnderWay: () => false, signal: AbortSignal.timeout(20_000)},
	);
	return {settled, ended: all.ended, kept: all.state.restores()};
}

test('what was started and not judged: its application is asked, and what that refuses is put back', async t => {
	for (const health of ['unhealthy', 'down']) {
		const {settled, ended} = await judged(health);
		t.deepEqual(settled, ['r1 undoing']);
		t.regex(ended.join(), /^r1 failed: .*`app` is (unhealthy|exited).*: what was there before is put back$/);
	}
});

test('of a service of Swarm the tasks have other names when it is judged', async t => {
	const swarm = {service: 's', name: 'app'};
	const found = {list: async () => [{id: 'c', name: 'app.1.new', swarm}], service: async () => ({replicas: 1, running: 0})};
	const failed = {state: 'failed', since: Number.POSITIVE_INFINITY, container: 'c'};
	const {settled, ended} = await judged('healthy', undefined, {...found, tasks: async () => [failed, failed, failed]});
	t.deepEqual(settled, ['r1 undoing']);
	t.regex(ended.join(), /the Swarm service `app` does not run/);
});

test('what the application takes is a success, and is judged once', async t => {
	const {settled, ended, kept} = await judged('healthy');
	t.deepEqual(settled, []);
	t.deepEqual(ended, ['r1 success']);
	t.deepEqual(
		kept.map(({phase, unjudged}) => [phase, unjudged]),
		[['swapped', []]],
	);
});

test('what a person undid meanwhile is nobody else’s to put back', async t => {
	const {settled, ended, kept} = await judged('unhealthy', all => all.state.saveRestore(record('r1', 'finishing', 'u5', ['app'])));
	t.deepEqual(settled, []);
	t.is(ended.length, 1);
	t.is(kept[0]?.phase, 'finishing');
});

test('what a former life left and nobody can settle keeps nothing else waiting; and what a run of this life has in hand is judged by that run alone', async t => {
	const all = stateOf(record('old', 'undoing'));
	all.unfinished.add('mine');
	const settled: string[] = [];
	const ending = new AbortController();
	const settle: Settle = ({run}) => {
		settled.push(run);
		if (run === 'left') {
			all.state.removeRestore(run);
			setTimeout(() => ending.abort(), 60_000);
		}

		return {
			run: 'u9',
			finished: Promise.resolve({outcome: run === 'left' ? 'success' : 'failed', error: 'its server is gone'}),
		} as ReturnType<Settle>;
	};
	await withoutWaiting(async () => {
		const settling = settleRestores(recoveryOf(all.state), {settle, upTo: 9, isUnderWay: run => run === 'mine', signal: ending.signal});
		await setTimeoutPromise(3_600_000);
		t.true(settled.length > 3 && settled.every(run => run === 'old'), settled.join());
		settled.length = 0;
		all.state.saveRestore(record('mine', 'swapped', null, ['app']));
		all.state.saveRestore(record('left', 'swapping'));
		await settling;
	});
	t.true(settled.filter(run => run === 'left').length === 1, settled.join());
	t.deepEqual(all.ended, []);
	t.deepEqual(all.state.restores().find(({run}) => run === 'mine')?.unjudged, ['app']);
});
