/** What an earlier life left is put back; of what cannot be, every channel hears once, and of its end. */
import test from 'ava';
import {putBack} from '../../../../agent/recovery/recovery.ts';
import {openState} from '../../../../agent/state/state.ts';
import {createEventHub} from '../../../../base/events.ts';
import type {Notice} from '../../../../base/notices.ts';
import type {Undo} from '../../../../docker/resume.ts';
import {runningContainer} from '../../../support/doubles/container.ts';
import {withoutWaiting} from '../../../support/doubles/faults.ts';
import {memoryEngine} from '../../../support/doubles/memory-engine.ts';

const log = {debug() {}, info() {}, warning() {}, error() {}};

function scene() {
	const state = openState(':memory:');
	const engine = memoryEngine([runningContainer('app'), runningContainer('paused')]);
	state.insertRun({run: 'r1', target: 'shop/app', operation: 'backup', trigger: 'test', queuedAt: 1});
	const told: Notice[] = [];
	const recovery = {engine, state, log, hub: createEventHub(() => {})};
	const signal = new AbortController().signal;
	return {
		engine,
		state,
		told,
		leave: (undo: Undo) => state.record('r1', undo),
		recover: async (isTold = true) =>
			withoutWaiting(async () =>
				putBack(recovery, {isWanted: () => true, signal, ...(isTold && {notices: {send: (notice: Notice) => void told.push(notice)}})}),
			),
	};
}

test.serial('who cannot be put back is told once, and its end; who can is not told', async t => {
	const {engine, told, leave, recover} = scene();
	const {start} = engine;
	await engine.stop('app', 0);
	leave({kind: 'start', containerId: 'app', containerName: 'app'});
	engine.start = async () => {
		throw Object.assign(new Error('port is already allocated'), {statusCode: 500});
	};
	t.false(await recover());
	t.false(await recover());
	t.is(told.length, 1);
	t.like(told[0], {kind: 'left', target: 'shop/app'});
	t.regex(told[0]?.text ?? '', /killed in run r1: container `app` could not be put back: port is already allocated.*docker start app/);

	engine.start = start;
	t.true(await recover());
	t.deepEqual(
		told.map(({kind}) => kind),
		['left', 'back'],
	);
	await engine.stop('app', 0);
	leave({kind: 'start', containerId: 'app', containerName: 'app'});
	t.true(await recover());
	t.is(told.length, 2);
});

test.serial('what was paused and has ended is told, and is over; a run of this life has said so itself', async t => {
	for (const isTold of [true, false]) {
		const {engine, state, told, leave, recover} = scene();
		await engine.stop('paused', 0);
		leave({kind: 'unpause', containerId: 'paused', containerName: 'paused'});
		t.true(await recover(isTold));
		t.deepEqual(state.open(), []);
		t.is(told.length, isTold ? 1 : 0);
		t.true(told.every(({text}) => /`paused` was paused for a run, and has ended since/.test(text)));
	}
});

test.serial('what was stopped and removed since is told with the way back, once; what was made anew is not', async t => {
	for (const isMadeAnew of [false, true]) {
		const {engine, state, told, leave, recover} = scene();
		await engine.stop('app', 0);
		leave({kind: 'start', containerId: 'app', containerName: 'app'});
		await engine.remove('app');
		const {list} = engine;
		engine.list = async () => [...(await list()), ...(isMadeAnew ? [{...runningContainer('app'), id: 'another'}] : [])];
		t.true(await recover());
		t.true(await recover());
		t.deepEqual(state.open(), []);
		t.is(told.length, isMadeAnew ? 0 : 1);
		t.true(
			told.every(
				({kind, text}) => kind === 'left' && /`app` was stopped for a run, and has been removed since.*docker compose up/.test(text),
			),
		);
	}
});
