import test from 'ava';
import {openState} from '../../../../agent/state/state.ts';
import type {BackupResult, Outcome} from '../../../../base/results.ts';
import type {Undo} from '../../../../docker/resume.ts';
import {openOnDisk} from '../../../support/doubles/disk.ts';

const undo: Undo = {kind: 'start', containerId: 'c', containerName: 'shop-app-1'};

const result = (outcome: Outcome) =>
	({outcome, startedAt: '2026-11-21T03:00:00.000Z', durationSeconds: 1, sources: []}) as unknown as BackupResult;

/** All that is known, in one value. */
const knownOf = (state: ReturnType<typeof openState>) => ({
	seen: state.firstSeen('shop/app', 99),
	watched: state.watched(),
	here: [state.hereSince('shop/app'), state.hereSince('shop/other')],
	rested: state.restedAt('shop/app'),
	told: [state.tellOnce('gone shop/app', 'then'), state.tellOnce('kept r0', null)],
	notes: state.notes(),
	appendOnly: state.isAppendOnly('/repository'),
	deeds: state.deeds(),
	suspicions: [...state.suspicions()],
	hosts: state.hosts(),
	open: state.open().map(({run}) => run),
	restores: state.restores().map(({run, phase}) => `${run} ${phase}`),
	interrupted: state.interruptedRuns().map(({run, state: of}) => `${run} ${of}`),
	backups: state.runs({operation: 'backup'}).map(({run, state: of, outcome}) => `${run} ${of} ${outcome}`),
	successes: state.runs({outcome: 'success'}).map(({run}) => run),
	counted: state.countRuns(),
	history: state.lastRuns().map(({run, outcome}) => `${run} ${outcome}`),
	outages: state.quiesced(),
	last: state.runs({isFinished: true, limit: 1}).map(({run, startedAt, finishedAt}) => [run, startedAt, finishedAt]),
});

test('what is learned while the disk is full is known at once, is on disk when there is room, and is lost only with the agent', t => {
	const {state, disk, path, reported} = openOnDisk(t);
	const record = {
		run: 'r1',
		target: 'shop/app',
		point: 'p',
		replacements: [],
		swappedAt: null,
		settledBy: null,
		ran: [],
		unjudged: [],
		keptIn: 'primary',
	};
	state.rememberRepository('/repository', 'id');
	for (const [run, queuedAt] of [
		['r1', 1],
		['r2', 2],
		['r3', 3],
	] as const) {
		state.insertRun({run, target: 'shop/app', operation: 'backup', trigger: 'test', queuedAt});
	}

	state.startRun('r1', 1);
	state.finishRun('r1', 2, result('success'));
	state.saveSuspicion('shop/other', 'it shrank');
	state.saveNote('before', 'yes');
	state.see('shop/other', 4);
	state.tellOnce('kept r0', 'gone');
	state.saveRestore({...record, phase: 'swapping'});
	const id = state.record('r1', undo);
	const earlier = openState(path);
	const before = earlier.restores().map(({phase}) => phase);
	earlier.close();
	disk.fill();
	state.firstSeen('shop/app', 5);
	state.see('shop/app', 6);
	state.miss('shop/other', 7);
	state.miss('shop/other', 8);
	state.rest('shop/app', 9);
	t.true(state.tellOnce('gone shop/app', 'then'));
	t.true(state.tellOnce('kept r0', null));
	state.saveNote('before', null);
	state.saveNote('after', 'yes');
	state.rememberRepository('/repository', 'id');
	state.rememberAccess('/repository', 'append-only');
	state.learnDeeds([{kind: 'adopt', by: 'a', what: 'b', at: new Date(4)}]);
	state.saveSuspicion('shop/other', null);
	state.saveSuspicion('shop/app', 'it is empty');
	state.rememberHost({host: 'box', isShared: false});
	state.clear(id);
	state.startRun('r2', 3);
	state.finishRun('r2', 4, {...result('failed'), quiesceSeconds: 7});
	state.startRun('r3', 5);
	state.appendEvent({type: 'step', run: 'r3', target: 'shop/app', at: 1, step: 'plan'});
	t.throws(() => state.saveRestore({...record, phase: 'failed'}), {message: /cannot be written/});
	t.throws(() => state.record('r3', undo), {message: /cannot be written/});
	t.throws(() => state.tryToWrite(), {message: /cannot be written/});
	t.is(reported.length, 1);
	const known = {
		seen: 5,
		watched: [
			{target: 'shop/other', goneSince: 7},
			{target: 'shop/app', goneSince: null},
		],
		here: [6, undefined],
		rested: 9,
		told: [false, false],
		notes: {after: 'yes'},
		appendOnly: true,
		deeds: [{kind: 'adopt', by: 'a', what: 'b', at: new Date(4)}],
		suspicions: [['shop/app', 'it is empty']],
		hosts: [{host: 'box', isShared: false}],
		open: [],
		restores: ['r1 failed'],
		interrupted: ['r3 running'],
		backups: ['r3 running null', 'r2 finished failed', 'r1 finished success'],
		successes: ['r1'],
		counted: (['failed', 'success'] as const).map(outcome => ({target: 'shop/app', operation: 'backup', outcome, count: 1})),
		history: ['r2 failed', 'r1 success'],
		outages: [{target: 'shop/app', quiesceSeconds: 7}],
		last: [['r2', 3, 4]],
	};
	const sorted = (all: ReturnType<typeof knownOf>) => ({
		...all,
		counted: all.counted.toSorted((a, b) => a.outcome.localeCompare(b.outcome)),
		watched: all.watched.toSorted((a, b) => (a.target < b.target ? 1 : -1)),
	});
	t.deepEqual(sorted(knownOf(state)), known as never);
	t.deepEqual(before, ['swapping']);
	disk.empty();
	state.tryToWrite();
	knownOf(state);
	const other = openState(path);
	t.teardown(() => other.close());
	t.deepEqual(sorted(knownOf(other)), known as never);
	disk.fill();
	state.rest('shop/app', 10);
	t.is(reported.length, 2, 'it was written meanwhile');
});

test('who ends writes what could not be written so far, where there is room by then', t => {
	for (const isEmptied of [true, false]) {
		const {state, disk, path} = openOnDisk(t);
		state.insertRun({run: 'r1', target: 'shop/app', operation: 'backup', trigger: 'test', queuedAt: 1});
		const id = state.record('r1', undo);
		disk.fill();
		state.clear(id);
		state.finishRun('r1', 2, result('partial'));
		if (isEmptied) {
			disk.empty();
		}

		state.close();
		const next = openState(path);
		t.is(next.findRun('r1')?.outcome, isEmptied ? 'partial' : null);
		t.is(next.open().length, isEmptied ? 0 : 1);
		next.close();
	}
});

test('an error in what is asked for is no full disk', t => {
	const {state, disk} = openOnDisk(t);
	disk.fill();
	t.throws(() => state.startRun('r9', 1), {message: 'run r9 is not queued'});
	t.throws(() => state.finishRun('r9', 1, result('success')), {message: 'run r9 is not under way'});
});
