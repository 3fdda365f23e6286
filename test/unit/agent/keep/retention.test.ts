import test from 'ava';
import fc from 'fast-check';
import {decide, type Knowledge, type RetentionPolicy} from '../../../../agent/keep/retention.ts';
import {shrunken} from '../../../../agent/keep/shrink.ts';
import type {Outcome} from '../../../../base/results.ts';

const day = 24 * 3_600_000;
const now = Date.parse('2026-11-21T12:00:00Z');
const policy: RetentionPolicy = {keep: {last: 2}, timeZone: 'UTC', shrinkLimit: 0.5};
const knowledge: Knowledge = {now, lastOutcome: 'success', needed: new Map()};

/** Newest first, one a day. */
const points = (...bytes: number[]) =>
	bytes.map((size, index) => ({
		id: `p${bytes.length - index}`,
		target: 'shop/db',
		filedAs: 'shop/db',
		agent: 'agent-1',
		host: 'h',
		time: new Date(now - index * day),
		manifest: `m${index}`,
		sources: [{source: 'volume:/data', snapshot: `s${index}`, bytes: size}],
	}));

const removed = (given = points(1, 1, 1, 1), change: Partial<Knowledge & RetentionPolicy> = {}) => {
	const {held, points: verdicts} = decide('shop/db', given, {...policy, ...change}, {...knowledge, ...change});
	return {held, removed: verdicts.flatMap(({action, point}) => (action === 'remove' ? [point.id] : []))};
};

test('what no rule keeps goes', t => {
	t.deepEqual(removed(), {held: null, removed: ['p2', 'p1']});
});

test('without a policy nothing goes', t => {
	const {keep, points: verdicts} = decide('shop/db', points(1, 1), {...policy, keep: undefined}, knowledge);
	t.is(keep, null);
	t.true(verdicts.every(({action}) => action === 'keep'));
});

for (const lastOutcome of ['failed', 'partial', undefined] as Array<Outcome | undefined>) {
	test(`nothing goes when the last run is ${lastOutcome ?? 'not known'}`, t => {
		const {held, removed: gone} = removed(undefined, {lastOutcome});
		t.deepEqual(gone, []);
		t.truthy(held);
	});
}

test('nothing goes while the policy is in doubt', t => {
	t.deepEqual(removed(undefined, {doubt: 'its labels have mistakes'}), {held: 'its labels have mistakes', removed: []});
});

test('a point that somebody needs stays: the newest verified one, one that an undo needs', t => {
	const needed = new Map([['p1', 'the newest verified']]);
	t.deepEqual(removed(undefined, {needed}), {held: null, removed: ['p2']});
});

test('a policy that would remove every point is refused', t => {
	const {held, removed: gone} = removed(undefined, {keep: {}});
	t.deepEqual(gone, []);
	t.regex(held ?? '', /every point/);
});

test('a run that lost more than half holds everything, until a person accepts it', t => {
	const given = points(100, 100, 40, 100, 100, 100);
	t.regex(removed(given).held ?? '', /40 bytes in point p4, and had 100 before/);
	t.deepEqual(removed(given).removed, []);
	t.deepEqual(removed(given, {accepted: given[2]?.time}), {held: null, removed: ['p4', 'p3', 'p2', 'p1']});
	t.is(removed(points(100, 60, 100)).held, null, 'less than half is no reason');
	t.truthy(removed(points(100, 60, 100), {shrinkLimit: 0.3}).held);
});

test('what was accepted is the new measure', t => {
	const given = points(15, 40, 40, 100, 100);
	t.regex(removed(given, {accepted: given[1]?.time}).held ?? '', /15 bytes in point p5, and had 40/);
	t.is(removed(points(40, 40, 100), {accepted: new Date(now)}).held, null);
	t.deepEqual(shrunken(points(40, 100), {limit: 0.5, accepted: new Date(now - 30 * day)}).length, 1, 'what was accepted is gone by now');
});

test('a source that is not there any more has shrunk; another one that grows does not hide it', t => {
	const [newest, oldest] = points(1000, 10);
	const given = [newest, oldest].map((point, index) => ({
		...(point as NonNullable<typeof point>),
		sources: [
			{source: 'volume:/data', snapshot: 'a', bytes: index === 0 ? 1_000_000 : 1000},
			...(index === 0 ? [] : [{source: 'postgres:shop', snapshot: 'b', bytes: 500}]),
		],
	}));
	t.deepEqual(
		shrunken(given, {limit: 0.5}).map(({source, bytes, before}) => [source, bytes, before]),
		[['postgres:shop', 0, 500]],
	);
});

test('whatever is asked for, the newest and the needed stay', t => {
	const keep = fc.record(
		{last: fc.integer({min: 1, max: 5}), daily: fc.integer({min: 1, max: 5}), within: fc.constant('3d')},
		{requiredKeys: []},
	);
	fc.assert(
		fc.property(fc.array(fc.nat(1000), {minLength: 1, maxLength: 30}), keep, fc.nat(30), (sizes, rules, index) => {
			const given = points(...sizes);
			const need = given[index]?.id;
			const gone = removed(given, {keep: rules, needed: new Map(need ? [[need, 'needed']] : [])}).removed;
			return !gone.includes(given[0]?.id ?? '') && (need === undefined || !gone.includes(need));
		}),
	);
	t.pass();
});

test('points of a clock that was ahead stay, and take no place of those that are made now', t => {
	const [first, second] = points(1, 1).map((point, index) => ({...point, id: `ahead${index}`, time: new Date(now + (900 - index) * day)}));
	const given = [first, second, ...points(1, 1, 1, 1)].filter(point => point !== undefined);
	t.deepEqual(removed(given), {held: null, removed: ['p2', 'p1']});
	t.deepEqual(removed(given, {keep: {last: 1}}), {held: null, removed: ['p3', 'p2', 'p1']});
	t.deepEqual(removed(given, {keep: {within: '1d'}}).removed, ['p2', 'p1']);
	t.regex(removed(given, {keep: {}}).held ?? '', /every point/);
	t.deepEqual(removed(given, {now: 0}).removed, [], 'a clock that is behind');
});

test('after a long gap, or with a clock that has jumped, those before stay until there are three new ones', t => {
	const apart = (ages: number[]) =>
		points(...ages.map(() => 1)).map((point, index) => ({...point, time: new Date(now - 1000 - (ages[index] ?? 0) * day)}));
	const within = {keep: {within: '30d'}};
	const before = [100, 101, 102, 103];
	t.regex(removed(apart([0, ...before]), within).held ?? '', /no point for 100 days, and has one since: those before stay/);
	t.deepEqual(removed(apart([0, ...before]), within).removed, []);
	t.truthy(removed(apart([0, 1, ...before]), within).held);
	t.deepEqual(removed(apart([0, 1, 2, ...before]), within), {held: null, removed: ['p4', 'p3', 'p2', 'p1']});
	t.is(removed(apart([0, 20, 40, 60]), within).held, null, 'no gap');
	t.is(removed(apart([0, 90, 180, 270]), within).held, null, 'they are always that far apart');
	t.is(removed(apart([0, ...before]), {keep: {within: '30d', last: 9}}).held, null, 'nothing would go');
	t.is(removed(apart([0, ...before]), {keep: {last: 2}}).held, null, 'another rule');
	t.truthy(removed(apart([0, ...before]), {keep: {within: '1m', daily: 1}}).held);
});
