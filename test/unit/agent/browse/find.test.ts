import test from 'ava';
import {find} from '../../../../agent/browse/find.ts';
import type {Point} from '../../../../agent/repository/points.ts';
import type {Node, SearchOptions} from '../../../../agent/restic/restic.ts';
import {kinds} from '../../../../agent/sources/kinds.ts';
import {UsageError} from '../../../../base/errors.ts';

const point = (id: string, day: number, snapshot: string): Point =>
	({
		id,
		target: 'shop/app',
		filedAs: 'former/app',
		time: new Date(Date.UTC(2026, 10, day)),
		sources: [{source: 'volume:/data', snapshot, bytes: 1}],
	}) as unknown as Point;

const points = [point('run-3', 3, 'c3'), point('run-2', 2, 'b2'), point('run-1', 1, 'a1')];

const node = (path: string, size = 1, modified: string | undefined = '2026-01-01T00:00:00Z', type = 'file'): Node => ({
	path: `/former/app/volume/data${path}`,
	type,
	size,
	modified,
});

/** A repository that finds this, and what it was asked. */
function repository(found: Record<string, Node[]>) {
	const asked: SearchOptions[] = [];
	const search = async (options: SearchOptions) => {
		asked.push(options);
		for (const [snapshot, matches] of Object.entries(found)) {
			options.onMatches(snapshot, matches);
		}
	};
	return {asked, restic: {search}};
}

const wanted = {pattern: '*.csv', ignoreCase: false, limit: 10};

test('versions are told with the first and the last point that has them', async t => {
	const {restic, asked} = repository({
		c3: [node('/a.csv', 2)],
		b2: [node('/a.csv', 1)],
		a1: [node('/a.csv', 1)],
		// Of another agent, or a first pass
		ff: [node('/b.csv')],
	});
	const {found, isCut} = await find(restic, points, wanted);
	t.false(isCut);
	t.deepEqual(
		found.map(({target, path, size, points: count, oldest, newest}) => [target, path, size, count, oldest.point, newest.point]),
		[
			['shop/app', '/data/a.csv', 2, 1, 'run-3', 'run-3'],
			['shop/app', '/data/a.csv', 1, 2, 'run-1', 'run-2'],
		],
	);
	t.deepEqual(asked[0]?.tags, [['holdfast', 'target:former/app']]);
	t.is(asked[0]?.patterns.length, kinds.length);
	t.true(asked[0]?.patterns.includes('/**/volume/**/*.csv'));
});

test('of a folder that matches, what is in it is not told again', async t => {
	const {restic} = repository({
		c3: [node('/a.d', 0, undefined, 'dir'), node('/a.d/b.d', 0, undefined, 'dir'), node('/a.d/b.d/c'), node('/a.dd')],
	});
	const {found} = await find(restic, points, wanted);
	t.deepEqual(
		found.map(({path}) => path),
		['/data/a.d', '/data/a.dd'],
	);
});

test('what is more than was asked for is said to be there', async t => {
	const {restic} = repository({c3: [node('/a'), node('/b'), node('/c')]});
	const {found, isCut} = await find(restic, points, {...wanted, limit: 2});
	t.is(found.length, 2);
	t.true(isCut);
});

test('a path counts from the root of the container', async t => {
	const {restic, asked} = repository({});
	await find(restic, points, {...wanted, pattern: '/data/**/x/'});
	t.true(asked[0]?.patterns.includes('/**/volume/data/**/x'));
});

for (const pattern of ['', '/', '//', 'a\0b']) {
	test(`the pattern ${JSON.stringify(pattern)} is refused`, async t => {
		await t.throwsAsync(find(repository({}).restic, points, {...wanted, pattern}), {instanceOf: UsageError});
	});
}

test('where there are no points, nothing is asked', async t => {
	const {restic, asked} = repository({});
	t.deepEqual(await find(restic, [], wanted), {found: [], isCut: false});
	t.is(asked.length, 0);
});
