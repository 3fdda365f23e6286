import test from 'ava';
import {strainOf, wayOf} from '../../../../../agent/sources/postgres/sessions.ts';

const small = {most: 17, free: 7};

test('databases are pinned together where that leaves enough to others, else in turn, unless they must be of one moment', t => {
	const large = {most: 97, free: 87};
	t.is(wayOf(large, {databases: 30, isMoment: false}), 'together');
	t.is(wayOf(small, {databases: 30, isMoment: false}), 'in turn');
	t.is(wayOf(small, {databases: 3, isMoment: false}), 'in turn');
	t.is(wayOf(small, {databases: 3, isMoment: true}), 'sparingly');
	t.is(wayOf(small, {databases: 5, isMoment: true}), 'sparingly', 'six sessions, and one is left');
	t.is(wayOf(small, {databases: 6, isMoment: true}), 'not now');
	t.is(wayOf({most: 17, free: 0}, {databases: 1, isMoment: true}), 'together', 'one is the least: it is waited for');
});

test('what is in turn is a note, what is waited for too, and what can never be had is a problem with numbers', t => {
	const where = 'in container `db`';
	t.deepEqual(strainOf({most: 97, free: 87}, {databases: 30, isMoment: true}, where), {});
	t.regex(
		strainOf(small, {databases: 30, isMoment: false}, where).note ?? '',
		/its 30 databases are dumped in turn, each of its own moment: together they need 31 sessions, and the server in container `db` has 7 free of 17/,
	);
	t.regex(
		strainOf(small, {databases: 10, isMoment: true}, where).note ?? '',
		/10 databases of one moment need 11 sessions .*7 free now, and 17 at most: a run waits/,
	);
	t.regex(
		strainOf(small, {databases: 30, isMoment: true}, where).problem?.message ?? '',
		/30 databases of one moment need 31 sessions of the server in container `db`.*it has 7 free now, and 17 at most/,
	);
});
