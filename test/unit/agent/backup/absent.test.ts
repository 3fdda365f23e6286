import test from 'ava';
import {assertAwake, tellAbsent} from '../../../../agent/backup/absent.ts';
import {goneSince} from '../../../../agent/backup/gone.ts';
import type {Plan} from '../../../../agent/plan/planned.ts';
import type {Point} from '../../../../agent/repository/points.ts';
import {RestingError} from '../../../../base/errors.ts';
import type {Notice} from '../../../../base/notices.ts';

const why = 'container `db-1`, which has to answer, is not running (exited)';
const absent = [{source: 'db/postgres:shop', why, hint: 'docker start db-1'}];
const files = {name: 'app/volume:/data'};
const planOf = (sources: readonly unknown[], lack = absent) => ({target: 'shop/all', sources, absent: lack}) as unknown as Plan;

test('what rests is told once, again when it changes, and when it is over', t => {
	const told = new Map<string, string>();
	const sent: Notice[] = [];
	const parts = {
		state: {
			tellOnce(subject: string, what: string | null) {
				const before = told.get(subject);
				what === null ? told.delete(subject) : told.set(subject, what);
				return what === null ? before !== undefined : before !== what;
			},
		},
		notices: {send: (notice: Notice) => sent.push(notice)},
	};
	for (let night = 0; night < 3; night++) {
		tellAbsent(planOf([files]), parts);
	}

	t.is(sent.length, 1);
	t.like(sent[0], {kind: 'resting', target: 'shop/all', hint: 'docker start db-1'});
	t.regex(sent[0]?.text ?? '', /backed up in part only, without `db\/postgres:shop` \(container `db-1`/);
	tellAbsent(planOf([]), parts);
	tellAbsent(planOf([], [...absent, {source: 'b/postgres:x', why, hint: 'docker start b'}]), parts);
	t.is(sent.length, 2);
	tellAbsent(planOf([files], []), parts);
	tellAbsent(planOf([files], []), parts);
	t.deepEqual(
		sent.map(({kind}) => kind),
		['resting', 'resting', 'back'],
	);
});

test('with nothing else there is no run, the error says what to start, and it is no lateness', t => {
	const rested: string[] = [];
	const state = {rest: (target: string) => void rested.push(target)};
	t.notThrows(() => assertAwake(planOf([files]), state));
	t.notThrows(() => assertAwake(planOf([], []), state));
	const error = t.throws(() => assertAwake(planOf([]), state), {
		instanceOf: RestingError,
		message: /`shop\/all` is not backed up: container `db-1`/,
	});
	t.is(error.hint, 'docker start db-1');
	t.deepEqual(rested, ['shop/all']);
});

test('what rests is not what is gone', t => {
	const point = {id: 'before', sources: [{source: 'db/postgres:shop'}, {source: 'app/volume:/old'}]} as unknown as Point;
	t.is(goneSince([point], planOf([files])).length, 1);
	t.regex(goneSince([point], planOf([files]))[0] ?? '', /app\/volume:\/old/);
	t.is(goneSince([point], planOf([files], [{...(absent[0] as (typeof absent)[0]), source: 'db/postgres'}])).length, 1);
});
