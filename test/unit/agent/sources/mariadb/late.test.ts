import test from 'ava';
import {makeOuter} from '../../../../../agent/sources/mariadb/late.ts';
import type {RestoringSource} from '../../../../../agent/sources/restoring.ts';
import type {Tolerated} from '../../../../../base/results.ts';

test('a view that reads another database of the same restore is made when that is in its place, and one that reads none of them is told at the end', async t => {
	const all = ['a', 'b', 'c'].map(name => ({name, target: 'shop/db', kind: 'mariadb'})) as unknown as RestoringSource[];
	const inPlace = new Set<string>();
	const made: string[] = [];
	const tolerated: Tolerated[] = [];
	const query = async (sql: string) => {
		if (!inPlace.has(sql)) {
			throw new Error(`there is no ${sql}`);
		}

		made.push(sql);
		return [];
	};

	const views = new Map([['a', ['b', 'nowhere']]]);
	for (const source of all) {
		inPlace.add(source.name);
		await makeOuter(source, all, {
			server: {query},
			database: source.name,
			views: (views.get(source.name) ?? []).map(sql => ({name: `of_${sql}`, sql})),
			tolerate: each => tolerated.push(each),
		});
		t.is(tolerated.length, source.name === 'c' ? 1 : 0);
	}

	t.deepEqual(made, ['b']);
	t.deepEqual(tolerated, [{source: 'a', what: 'the view `of_nowhere` of `a` could not be made again: there is no nowhere', count: 1}]);
});
