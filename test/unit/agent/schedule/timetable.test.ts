import test from 'ava';
import type {Agent} from '../../../../agent/agent.ts';
import {entries} from '../../../../agent/schedule/entries.ts';
import {keepSchedule} from '../../../../agent/schedule/timetable.ts';
import {openState} from '../../../../agent/state/state.ts';
import {BusyError, NotFoundError, RestingError, RunError} from '../../../../base/errors.ts';
import type {Log} from '../../../../base/log.ts';
import type {Notice} from '../../../../base/notices.ts';
import {until} from '../../../support/until.ts';

const backup = {operation: 'backup', subject: 'shop/db', line: '0 3 * * *'} as const;
const drill = {operation: 'drill', subject: 'shop/db', line: '0 0 * * 0'} as const;

test('an operation is due from its own last run; one that never ran, from when its entry was first seen', t => {
	const state = openState(':memory:');
	t.teardown(state.close);
	const check = {operation: 'check', subject: 'repository:primary', line: '0 6 * * 0'} as const;
	state.firstSeen('shop/db', 1000);
	state.insertRun({run: 'r1', target: 'shop/db', operation: 'backup', trigger: 'cli', queuedAt: 5000});
	const before = Date.now();
	const [first, second] = entries([backup, check], state);
	t.deepEqual(first, {...backup, since: 5000});
	t.true(second !== undefined && second.since >= before);

	state.insertRun({run: 'r2', target: 'repository:primary', operation: 'check', trigger: 'cli', queuedAt: before + 7000});
	t.deepEqual(
		entries([backup, check], state).map(({since}) => since),
		[5000, before + 7000],
	);
});

test('a drill is due when there is a backup, and then also for what was missed since the target was first seen', t => {
	const state = openState(':memory:');
	t.teardown(state.close);
	const begun = Date.now();
	t.deepEqual(entries([drill], state), []);
	const seen = state.firstSeen('drill shop/db', 0);
	t.true(seen >= begun);

	const result = {run: 'r1', target: 'shop/db', point: 'r1', startedAt: '', durationSeconds: 1, quiesceSeconds: 0, sources: []};
	state.insertRun({run: 'r0', target: 'shop/db', operation: 'backup', trigger: 'cli', queuedAt: 4000});
	state.startRun('r0', 4000);
	state.finishRun('r0', 5000, {...result, run: 'r0', point: null, outcome: 'failed'});
	t.deepEqual(entries([drill], state), []);
	state.insertRun({run: 'r1', target: 'shop/db', operation: 'backup', trigger: 'cli', queuedAt: 5000});
	state.startRun('r1', 5000);
	state.finishRun('r1', 6000, {...result, outcome: 'success'});
	t.deepEqual(entries([drill], state), [{...drill, since: seen}]);

	// Where something always rests, every backup is partial, and has a point all the same.
	const partial = openState(':memory:');
	t.teardown(partial.close);
	partial.insertRun({run: 'r2', target: 'shop/db', operation: 'backup', trigger: 'schedule', queuedAt: 7000});
	partial.startRun('r2', 7000);
	partial.finishRun('r2', 8000, {
		...result,
		run: 'r2',
		point: 'r2',
		outcome: 'partial',
		absent: [{source: 'volume:/data', why: 'it is stopped'}],
	});
	t.is(entries([drill], partial).length, 1);
});

test('a cold backup is due from the last cold one that was due, whatever ran hot since', t => {
	const state = openState(':memory:');
	t.teardown(state.close);
	state.firstSeen('shop/db', 1000);
	state.firstSeen('cold shop/db', 2000);
	state.insertRun({run: 'r1', target: 'shop/db', operation: 'backup', trigger: 'schedule:cold', queuedAt: 5000});
	state.insertRun({run: 'r2', target: 'shop/db', operation: 'backup', trigger: 'schedule', queuedAt: 9000});
	const due = [
		{operation: 'backup', subject: 'shop/db', line: '0 3 * * *'},
		{operation: 'backup', subject: 'shop/db', line: '0 3 * * 0', cold: true},
	] as const;
	t.deepEqual(
		entries(due, state).map(({since}) => since),
		[9000, 5000],
	);
});

test('hot and cold that are due at once are one cold backup; a cold one waits for the run before it', async t => {
	const asked: Array<[string, boolean | undefined]> = [];
	const {promise, resolve} = Promise.withResolvers<void>();
	let busy = true;
	const agent = {
		async backup(_target: string, trigger: string, {cold}: {cold?: boolean}) {
			if (cold && busy) {
				throw new BusyError('it is busy', {run: 'r0'});
			}

			asked.push([trigger, cold]);
			return {run: 'r', finished: Promise.resolve({})};
		},
		async *follow() {
			await promise;
			busy = false;
			yield {type: 'finished'};
		},
	} as unknown as Agent;
	const schedule = keepSchedule(agent, {
		timeZone: 'UTC',
		log: {error: t.fail, info() {}} as unknown as Log,
		notices: {send: () => t.fail()},
	});
	t.teardown(schedule.close);
	const since = Date.now() - 10 * 24 * 3_600_000;
	schedule.set([
		{operation: 'backup', subject: 'a', line: '0 3 * * *', since},
		{operation: 'backup', subject: 'a', line: '0 3 * * 0', cold: true, since},
		{operation: 'backup', subject: 'b', line: '0 3 * * *', since},
	]);
	await until('the one that has no cold schedule', () => asked.length === 1);
	t.deepEqual(asked, [['schedule', false]]);
	t.truthy(schedule.next('backup', 'a', {cold: true}));
	t.not(schedule.next('backup', 'a')?.getTime(), undefined);
	resolve();
	await until('the cold one', () => asked.length === 2);
	t.deepEqual(asked[1], ['schedule:cold', true]);
});

test('what meets a busy target is run after it, once, however often it was due meanwhile', async t => {
	const said: string[] = [];
	const begun: string[] = [];
	let busy = true;
	const over = Promise.withResolvers<void>();
	const begin = (operation: string) => async () => {
		if (busy) {
			throw new BusyError('it is busy', {run: 'r0'});
		}

		begun.push(operation);
		return {run: 'r', finished: Promise.resolve({})};
	};
	const agent = {
		backup: begin('backup'),
		drill: begin('drill'),
		async *follow() {
			await over.promise;
			yield {type: 'finished'};
		},
	} as unknown as Agent;
	const log = {error: t.fail, info: (message: string) => said.push(message)} as unknown as Log;
	const schedule = keepSchedule(agent, {timeZone: 'UTC', log, notices: {send: () => t.fail()}});
	t.teardown(schedule.close);
	const since = Date.now() - 10 * 24 * 3_600_000;
	const due = (line: string) => [
		{operation: 'backup' as const, subject: 'a', line, since},
		{operation: 'drill' as const, subject: 'a', line, since},
	];
	schedule.set(due('0 3 * * *'));
	await until('both wait', () => said.length === 2);
	t.deepEqual(said.toSorted(), ['the scheduled backup of `a` waits for run r0', 'the scheduled drill of `a` waits for run r0']);
	schedule.set([]);
	schedule.set(due('0 4 * * *'));
	busy = false;
	over.resolve();
	await until('both have begun', () => begun.length === 2);
	t.deepEqual(begun.toSorted(), ['backup', 'drill']);
});

test('what could not even begin is told, but for what is told otherwise', async t => {
	const errors = new Map<string, Error>([
		['full', new RunError('its disk is full', {hint: 'make room'})],
		['gone', new NotFoundError('there is no target')],
		['ending', new BusyError('the agent is shutting down')],
		['resting', new RestingError('it rests')],
	]);
	const agent = {
		async backup(target: string) {
			throw errors.get(target) ?? new Error('?');
		},
	} as unknown as Agent;
	const sent: Notice[] = [];
	let failures = 0;
	const log = {error: () => failures++, info: () => failures++} as unknown as Log;
	const schedule = keepSchedule(agent, {timeZone: 'UTC', log, notices: {send: notice => void sent.push(notice)}});
	t.teardown(schedule.close);
	schedule.set([...errors.keys()].map(subject => ({operation: 'backup' as const, subject, line: '0 3 * * *', since: 0})));
	await until('all have failed', () => failures === errors.size);
	t.deepEqual(
		sent.map(({at: _, ...rest}) => rest),
		[{kind: 'missed', target: 'full', text: 'the scheduled backup of `full` could not be done: its disk is full', hint: 'make room'}],
	);
});
