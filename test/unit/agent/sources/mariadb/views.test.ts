import test from 'ava';
import {brokenViews, describeUnmade, makeViews, outerAmong, outerViews} from '../../../../../agent/sources/mariadb/views.ts';

const server = (query: (sql: string) => string[][]) => ({query: async (sql: string) => query(sql)});

test('a view that cannot be read is known, with what makes it', async t => {
	const asked = server(sql =>
		sql.startsWith('select')
			? [['good'], ['bad']]
			: sql === 'check table `shop`.`good`'
				? [['shop.good', 'check', 'status', 'OK']]
				: sql.startsWith('check')
					? [['shop.bad', 'check', 'Error', 'gone']]
					: [['bad', 'create view bad']],
	);
	t.deepEqual(await brokenViews(asked, 'shop'), [{name: 'bad', sql: 'create view bad'}]);
});

test('views that need each other are made again in whichever order they come, and one that cannot be is told', async t => {
	const made: string[] = [];
	const picky = server(sql => {
		if (sql === 'never' || (sql === 'second' && !made.includes('first'))) {
			throw new Error('it is not there');
		}

		made.push(sql);
		return [];
	});
	const views = ['second', 'never', 'first'].map(sql => ({name: sql, sql}));
	const unmade = await makeViews(picky, 'shop', views);
	t.deepEqual(made, ['first', 'second']);
	t.deepEqual(
		unmade.map(view => describeUnmade('shop', view)),
		['the view `never` of `shop` could not be made again: it is not there'],
	);
});

test('views that read another database are known, and those that read such a view', t => {
	const views = [
		{name: 'second', sql: 'select `shop`.`first`.`a` AS `a` from `shop`.`first`'},
		{name: 'first', sql: 'select `other`.`t`.`a` AS `a` from `other`.`t`'},
		{name: 'calls', sql: 'select `odd``one`.`f`() AS `a`'},
		{name: 'own', sql: 'select `x`.`a` AS `a` from `shop`.`first_of_all` `x`'},
		{name: 'same', sql: 'select `shop`.`other`.`a` AS `a` from `shop`.`other`'},
	];
	t.deepEqual(outerAmong('shop', views, ['other', 'odd`one']).sort(), ['calls', 'first', 'second']);
	t.deepEqual(outerAmong('shop', views, []), []);
});

test('what every server has is no other database', async t => {
	const asked = server(sql =>
		sql.includes('view_definition')
			? [['v', 'select `information_schema`.`tables`.`table_name` AS `t` from `information_schema`.`tables`']]
			: [['shop'], ['information_schema'], ['mysql'], ['SYS']],
	);
	t.deepEqual(await outerViews(asked, 'shop'), []);
});
