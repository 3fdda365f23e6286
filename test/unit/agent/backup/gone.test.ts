/** What a backup says of sources that were not in the point before, or are not in this one. */
import test from 'ava';
import {foundSince, goneSince} from '../../../../agent/backup/gone.ts';
import type {Plan, Surveyed} from '../../../../agent/plan/planned.ts';
import type {Point} from '../../../../agent/repository/points.ts';

const point = {id: 'p', sources: [{source: 'volume:/a'}, {source: 'postgres:shop'}]} as unknown as Point;
const plan = (...names: string[]) => ({sources: names.map(name => ({name})), absent: []}) as unknown as Plan;
const surveyed = (suggestion: string[] | undefined, ...names: string[]) =>
	({target: {members: [{suggestion}]}, plan: plan(...names)}) as unknown as Surveyed;

test('what is gone is said', t => {
	t.regex(goneSince([point], plan('volume:/a')).join(), /`postgres:shop` was in the point before \(p\)/);
	t.deepEqual(goneSince([point], plan('volume:/a', 'postgres:shop')), []);
});

test('what is found without a label is said when it is new', t => {
	t.regex(foundSince([point], surveyed(['why'], 'volume:/a', 'volume:/b')).join(), /^`volume:\/b` is new/);
	t.deepEqual(foundSince([], surveyed(['why'], 'volume:/b')), [], 'in the first backup all is new');
	t.deepEqual(foundSince([point], surveyed(undefined, 'volume:/b')), [], 'somebody has named it');
});
