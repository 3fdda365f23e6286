import test from 'ava';
import {marksOf, unread} from '../../../base/acknowledged.ts';

test('what was shown is read, and nothing that came up since', t => {
	const shown = marksOf('mind the users\nthe repository cannot be written');
	t.true(shown.every(mark => mark.length === 8));
	t.deepEqual(unread('mind the users\nthe repository cannot be written', shown), []);
	t.deepEqual(unread('mind the users\nanother writes to it', shown), ['another writes to it']);
	t.deepEqual(unread('another writes to it', []), ['another writes to it']);
	t.deepEqual(unread(undefined, []), []);
	t.deepEqual(marksOf(null), []);
});

test('whoever says yes to all has read all; who says nothing, nothing', t => {
	t.deepEqual(unread('a\nb', true), []);
	t.deepEqual(unread('a\nb', false), ['a', 'b']);
	t.deepEqual(unread('a\nb'), ['a', 'b']);
});
