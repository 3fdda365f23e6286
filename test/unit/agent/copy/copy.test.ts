import test from 'ava';
import {batchesOf} from '../../../../agent/copy/batch.ts';
import {counterparts} from '../../../../agent/copy/counterparts.ts';
import {leftIn} from '../../../../agent/copy/tidy.ts';
import {isCopiedTo, wereCopiedTo} from '../../../../agent/copy/wanted.ts';
import {worthCopying} from '../../../../agent/copy/worth.ts';
import {applyPolicy} from '../../../../agent/keep/policy.ts';
import {copyProblems} from '../../../../agent/plan/survey.ts';
import type {Point} from '../../../../agent/repository/points.ts';
import type {Snapshot} from '../../../../agent/restic/restic.ts';

const snapshot = (id: string, tree: string, run: string, ...tags: string[]): Snapshot => ({
	id,
	tree,
	time: new Date(0),
	host: 'h',
	tags: ['holdfast', `run:${run}`, 'target:shop/db', ...tags],
	paths: [],
	bytes: 1,
	addedBytes: 1,
});

const point = (id: string, target = 'shop/db', ...sources: string[]): Point => ({
	id,
	target,
	filedAs: target,
	agent: 'agent-1',
	host: 'h',
	time: new Date(0),
	manifest: `manifest-${id}`,
	sources: sources.map(source => ({source, snapshot: `${id}-${source}`, bytes: 1})),
});

test('the newest point of each target goes first, then the rest in batches, none twice', t => {
	const points = Array.from({length: 50}, (_, index) => point(`p${index}`, index % 2 === 0 ? 'a/a' : 'b/b'));
	const batches = batchesOf(points);
	t.deepEqual(
		batches.map(({length}) => length),
		[2, 20, 20, 8],
	);
	t.deepEqual(
		batches[0]?.map(({id}) => id),
		['p0', 'p1'],
	);
	t.is(new Set(batches.flat().map(({id}) => id)).size, 50);
	t.deepEqual(batchesOf([]), []);
});

test('the ids in the copy are those of the same run, source and content', t => {
	const wanted = point('r1', 'shop/db', 'postgres:a', 'volume:/data');
	const here = [snapshot('r1-postgres:a', 't1', 'r1', 'source:postgres:a'), snapshot('r1-volume:/data', 't2', 'r1', 'source:volume:/data')];
	const there = [
		snapshot('x0', 't1', 'r0', 'source:postgres:a'),
		snapshot('x1', 't1', 'r1', 'source:postgres:a'),
		snapshot('x2', 't2', 'r1', 'source:volume:/data'),
	];
	t.deepEqual(
		[...counterparts(wanted, here, there).ids],
		[
			['r1-postgres:a', 'x1'],
			['r1-volume:/data', 'x2'],
		],
	);
	t.deepEqual(counterparts(wanted, here, there).extra, []);
	const again = snapshot('x3', 't2', 'r1', 'source:volume:/data');
	const old = snapshot('x4', 't9', 'r1', 'manifest:2');
	t.deepEqual(counterparts(wanted, here, [...there, again, old]).extra, ['x3', 'x4']);
	const changed = [...there.slice(0, 2), snapshot('x2', 'other', 'r1', 'source:volume:/data')];
	t.throws(() => counterparts(wanted, here, changed), {message: /`volume:\/data` is not in the copy with the same content/});
	t.throws(() => counterparts(wanted, here, []), {message: /`postgres:a` is not in the copy/});
});

test('what an interrupted copy left goes only when its point is gone from both, and the run was ours', t => {
	const there = [
		snapshot('kept', 't', 'there', 'source:tar:/a'),
		snapshot('manifest', 'm', 'there', 'manifest:1'),
		snapshot('resumed', 't', 'here', 'source:tar:/a'),
		snapshot('left', 't', 'gone', 'source:tar:/a'),
		snapshot('foreign', 't', 'foreign', 'source:tar:/a'),
	];
	t.deepEqual(
		leftIn(there, [point('here')], run => run === 'gone'),
		['left'],
	);
});

test('labels choose the copies; of a target that is gone, every container must have allowed it', t => {
	t.true(isCopiedTo('nas', undefined));
	t.true(isCopiedTo('nas', ['nas', 'usb']));
	t.false(isCopiedTo('nas', []));
	t.true(wereCopiedTo('nas', [{}, {'holdfast.copies': 'nas'}], 'holdfast.'));
	t.false(wereCopiedTo('nas', [{'holdfast.copies': 'none'}, {}], 'holdfast.'));
	const known = {subject: 'shop/db', label: 'holdfast.copies', copies: ['nas', 'offsite']};
	t.deepEqual(copyProblems(['nas'], known), []);
	t.regex(JSON.stringify(copyProblems(['nass'], known)), /holdfast\.copies.*nass.*did you mean `nas`/);
	t.regex(JSON.stringify(copyProblems(['nas'], {...known, copies: []})), /no copy is configured/);
});

const dayMs = 24 * 3_600_000;
const daily = (count: number, target = 'shop/db') =>
	Array.from({length: count}, (_, age) => ({...point(`${target}-${age}`, target), time: new Date(Date.UTC(2026, 5, 30, 3) - age * dayMs)}));
const circumstances = {timeZone: 'UTC', now: Date.UTC(2026, 6, 1)};

test('nothing is copied that the policy of the copy would remove again, whenever and how often it is asked', t => {
	const primary = daily(60);
	const keep = {daily: 3, weekly: 4};
	const first = worthCopying(primary, [], {...circumstances, keep});
	t.is(first.length, 5);
	t.is(first[0]?.id, primary[0]?.id);
	const kept = (points: readonly Point[]) =>
		points.filter((_, index) => (applyPolicy(points, keep, circumstances)[index]?.length ?? 0) > 0);
	t.deepEqual(kept(first), first, 'the copy removes nothing of it');
	t.deepEqual(worthCopying(primary, first, {...circumstances, keep}), first, 'and nothing more is asked for');
	t.is(worthCopying(primary, [], {...circumstances, keep: undefined}).length, 60);
});

test('the policy of a copy counts what the copy still has and the primary has not', t => {
	const all = daily(10);
	const [recent, old] = [all.slice(0, 2), all.slice(2)];
	const wanted = worthCopying(recent, old, {...circumstances, keep: {last: 5}});
	t.deepEqual(wanted, recent);
	t.deepEqual(worthCopying(old, recent, {...circumstances, keep: {last: 2}}), []);
});

test('each target is judged by itself', t => {
	const points = [...daily(5, 'a/a'), ...daily(5, 'b/b')];
	const wanted = worthCopying(points, [], {...circumstances, keep: {last: 1}});
	t.deepEqual(
		wanted.map(({id}) => id),
		['a/a-0', 'b/b-0'],
	);
});
