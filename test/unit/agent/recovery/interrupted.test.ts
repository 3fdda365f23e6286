import test from 'ava';
import {closeInterrupted, closeInterruptedCopies, closeInterruptedRestores} from '../../../../agent/recovery/interrupted.ts';
import type {Point} from '../../../../agent/repository/points.ts';
import {openState} from '../../../../agent/state/state.ts';
import {RepositoryError} from '../../../../base/errors.ts';
import {createEventHub} from '../../../../base/events.ts';
import {openOnDisk} from '../../../support/doubles/disk.ts';

const log = {debug() {}, info() {}, warning() {}, error() {}};

/** Backups that were under way when the agent died; of all but `lost` there is a point. */
function scene(t: {teardown: (end: () => void) => void}, ...runs: string[]) {
	const state = openState(':memory:');
	t.teardown(state.close);
	for (const run of runs) {
		state.insertRun({run, target: 'shop/app', operation: 'backup', trigger: 'schedule', queuedAt: 1});
	}

	const points = runs
		.filter(run => run !== 'lost')
		.map(id => ({id, sources: [{source: 'volume:/data', snapshot: 's', bytes: 1}]}) as unknown as Point);
	const outcomes = () =>
		state
			.runs()
			.map(({run, outcome}) => `${run} ${outcome}`)
			.sort();
	return {recovery: {state, hub: createEventHub(() => {}), log, engine: {} as never}, points, outcomes};
}

test('what was published is what its manifest says; what was not has failed', async t => {
	const {recovery, points, outcomes} = scene(t, 'whole', 'partial', 'lost', 'broken', 'mine');
	const absent = [{source: 'postgres:app', why: 'it rests'}];
	await closeInterrupted(recovery, {
		points,
		async manifestOf({id}) {
			if (id === 'broken') {
				throw new Error('no JSON');
			}

			return id === 'partial' ? {absent} : {};
		},
		isUnderWay: ({run}) => run === 'mine',
	});
	t.deepEqual(outcomes(), ['broken failed', 'lost failed', 'mine null', 'partial partial', 'whole success']);
	t.like(recovery.state.findRun('partial')?.result, {point: 'partial', absent});
});

test('while the repository is away nothing is decided', async t => {
	const {recovery, points, outcomes} = scene(t, 'whole');
	const manifestOf = async () => {
		throw new RepositoryError('unreachable', 'it is away');
	};
	await t.throwsAsync(closeInterrupted(recovery, {points, manifestOf, isUnderWay: () => false}), {message: /away/});
	t.deepEqual(outcomes(), ['whole null']);
});

test('a full disk keeps nobody from ending what was under way, and so from putting back what is quiesced after it', async t => {
	const {state, disk} = openOnDisk(t);
	const heard: string[] = [];
	const hub = createEventHub(() => {});
	hub.listen(event => heard.push(`${event.run} ${event.type}`));
	const recovery = {state, hub, log, engine: {} as never};
	for (const operation of ['restore', 'copy', 'drill'] as const) {
		state.insertRun({run: operation, target: 'shop/app', operation, trigger: 'schedule', queuedAt: 1});
	}

	disk.fill();
	closeInterruptedRestores(recovery);
	closeInterruptedCopies(recovery);
	await closeInterrupted(recovery, {points: [], manifestOf: async () => ({}), isUnderWay: () => false});
	t.deepEqual(heard, ['restore finished', 'copy finished', 'drill finished']);
	t.deepEqual(state.interruptedRuns(), []);
});
