import test from 'ava';
import {roomProblems} from '../../../../../agent/restore/plan/check.ts';

const gib = 1024 ** 3;
const room = (container: string, needed: number, free: number) => ({
	container,
	folder: '/data',
	neededBytes: needed * gib,
	freeBytes: free * gib,
});

test('databases of one server need room together, and the margin once', t => {
	t.deepEqual(roomProblems([room('db', 3, 8), room('db', 3, 8)], 2 * gib), []);
	t.deepEqual(roomProblems([room('db', 3, 7), room('other', 3, 7)], 2 * gib), []);
	t.deepEqual(roomProblems([room('db', 3, 7.5), room('db', 3, 7.5), room('other', 3, 7.5)], 2 * gib), [
		"there is too little room in container `db`: 8.00 GiB are needed (the databases' own 6.00 GiB and 2.00 GiB more), and /data has 7.50 GiB left",
	]);
});
