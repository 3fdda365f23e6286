import test from 'ava';
import {isBusy, readCounts} from '../../../docker/activity.ts';

const printed = `1  S 0 1 1 0 -1 4194560 100 0 0 0 2 3 0 0 20 0 1 0
rchar: 100
wchar: 50
syscr: 9
42  R 1 42 42 0 -1 4194304 200 0 0 0 120 80 0 0 20 0 9 0
rchar: 5000000
wchar: 1000000
read_bytes: 0
`;

test('what the processes of a worker did is read as the kernel counts it', t => {
	t.deepEqual(
		[...readCounts(printed)],
		[
			['1', {bytes: 150, ticks: 5}],
			['42', {bytes: 6_000_000, ticks: 200}],
		],
	);
});

test('what the counting itself does is no activity', t => {
	const counting = `own 77\n${printed}77  S 0 77 77 0 -1 4194304 1 0 0 0 9 9 0 0 20 0 1 0\nrchar: 90000\nwchar: 1\n78  R 77 77 77 0 -1 4194304 1 0 0 0 9 9 0 0 20 0 1 0\nrchar: 90000\n`;
	t.deepEqual([...readCounts(counting).keys()], ['1', '42']);
});

test('who waits and tells so does nothing; who reads, sends or computes does', t => {
	const at = (bytes: number, ticks: number) => new Map([['42', {bytes, ticks}]]);
	t.false(isBusy(at(0, 0), at(60 * 500, 60), 60));
	t.true(isBusy(at(0, 0), at(60 * 100_000, 0), 60));
	t.true(isBusy(at(0, 0), at(0, 3000), 60));
	t.true(isBusy(new Map(), at(10_000_000, 0), 60));
	t.false(isBusy(at(10_000_000, 5000), at(0, 0), 60));
});
