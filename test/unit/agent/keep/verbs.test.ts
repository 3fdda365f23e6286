import test from 'ava';
import {neededPoints} from '../../../../agent/keep/knowledge.ts';
import {nextPart} from '../../../../agent/keep/verbs.ts';
import type {RestoreRecord} from '../../../../agent/state/restores.ts';

test('the parts of the data are read in turn', t => {
	t.is(nextPart(undefined, 13), '1/13');
	t.is(nextPart({readData: '1/13'}, 13), '2/13');
	t.is(nextPart({readData: '13/13'}, 13), '1/13');
	t.is(nextPart({readData: '3/4'}, 13), '1/13', 'other parts than before');
	t.is(nextPart({readData: '1/1'}, 1), '1/1');
});

const restored = (target: string, point: string): RestoreRecord => ({
	run: 'r1',
	target,
	point,
	phase: 'swapped',
	replacements: [],
	swappedAt: 1,
	ran: [],
	settledBy: null,
	unjudged: [],
	keptIn: 'primary',
});

test('what a restore has used stays as long as it may be undone, that of a whole project too', t => {
	const knowing = (...records: RestoreRecord[]) => ({restores: () => records, runs: () => []});
	const needed = (target: string, ...records: RestoreRecord[]) => [...neededPoints(knowing(...records), target, []).keys()];
	t.deepEqual(needed('shop/db', restored('shop/db', 'a')), ['a']);
	t.deepEqual(needed('shop/db', restored('shop', 'a,b')), ['a', 'b']);
});
