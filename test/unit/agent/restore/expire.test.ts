import test from 'ava';
import {createExpiry} from '../../../../agent/restore/expire.ts';
import type {RestoreRecord} from '../../../../agent/state/restores.ts';

const hour = 3_600_000;
const keepMs = 72 * hour;

const swapped = (run: string, swappedAt: number): RestoreRecord => ({
	run,
	target: 'shop/app',
	point: 'p1',
	phase: 'swapped',
	replacements: [],
	swappedAt,
	settledBy: null,
	ran: [],
	unjudged: [],
	keptIn: 'primary',
});

/** A clock that shows `clock`, while `passed` hours have gone by since the start. */
function scene(...records: RestoreRecord[]) {
	const restores = new Map(records.map(record => [record.run, record]));
	const finished: string[] = [];
	const time = {clock: 0, passed: 0};
	const look = createExpiry({
		state: {restores: () => [...restores.values()], saveRestore: record => void restores.set(record.run, record), tellOnce: () => false},
		log: {debug() {}, info() {}, warning() {}, error() {}},
		notices: {send() {}},
		settle(record) {
			finished.push(record.run);
			restores.delete(record.run);
			return {run: 'r', finished: Promise.resolve({outcome: 'success'} as never)};
		},
		isGone: async () => false,
		keepMs,
		now: () => time.clock * hour,
		passed: () => time.passed * hour,
	});
	const at = async (clock: number, passed: number): Promise<string[]> => {
		Object.assign(time, {clock, passed});
		await look();
		return finished.splice(0);
	};
	return {at, restores};
}

test('what a restore replaced is let go when its time is over', async t => {
	const {at} = scene(swapped('r1', 0));
	t.deepEqual(await at(71, 71), []);
	t.deepEqual(await at(73, 73), ['r1']);
});

test('a clock that is set ahead lets no time go by', async t => {
	const {at, restores} = scene(swapped('r1', 0));
	t.deepEqual(await at(1, 1), []);
	t.deepEqual(await at(9000, 2), [], 'it was behind, and is set now');
	restores.set('r2', swapped('r2', 9000 * hour));
	t.deepEqual(await at(9069, 71), []);
	t.deepEqual(await at(9071, 73), ['r1']);
	t.deepEqual(await at(9073, 75), ['r2']);
});

test('what was replaced after the clock was set counts from then; one that is set back keeps it longer', async t => {
	const {at} = scene(swapped('r1', 9000 * hour));
	t.deepEqual(await at(9001, 1), []);
	t.deepEqual(await at(9071, 71), []);
	t.deepEqual(await at(9073, 73), ['r1']);
	const {at: back} = scene(swapped('r1', 0));
	t.deepEqual(await back(70, 70), []);
	t.deepEqual(await back(10, 71), []);
	t.deepEqual(await back(73, 134), ['r1']);
});
