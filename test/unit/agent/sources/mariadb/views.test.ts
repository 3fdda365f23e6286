import test from 'ava';
import {brokenViews, describeUnmade, makeViews, movedTo, outerAmong, outerViews} from '../../../../../agent/sources/mariadb/views.ts';

const server = (query: (sql: string) => string[][]) => ({query: async (sql: string) => query(sql)});

test('a view that cannot be read is known, with what makes it', async t => {
	const asked = server(sql =>
		sql.startsWith('select')
			? [['good'], ['bad']]
			: sql === 'check table `shop`.`good`'
				? [['shop.good', 'check', 'status', 'OK']]
				: sql.startsWith('check')
					? [['shop.bad', 'check', 'Error', 'gone']]
					: [['bad', 'create view bad', 'latin1', 'latin1_german1_ci']],
	);
	t.deepEqual(await brokenViews(asked, 'shop'), [{name: 'bad', sql: 'set collation_connection = latin1_german1_ci; create view bad'}]);
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
		{name: 'second', reads: 'select `shop`.`first`.`a` AS `a` from `shop`.`first`'},
		{name: 'first', reads: 'select `other`.`t`.`a` AS `a` from `other`.`t`'},
		{name: 'calls', reads: 'select `odd``one`.`f`() AS `a`'},
		{name: 'own', reads: 'select `x`.`a` AS `a` from `shop`.`first_of_all` `x`'},
		{name: 'same', reads: 'select `shop`.`other`.`a` AS `a` from `shop`.`other`'},
	].map(view => ({...view, sql: view.reads.replaceAll('`shop`.', '')}));
	t.deepEqual(outerAmong('shop', views, ['other', 'odd`one']), ['second', 'first', 'calls']);
	t.deepEqual(outerAmong('shop', views, []), []);
});

test("a view that names its own database, because it reads what is the server's, is made in its place, or as one of another", t => {
	const sql = 'create view `v` as select `shop`.`t`.`shop`.`a`, `i`.`x` from `shop`.`t` join `information_schema`.`tables` `i`';
	const views = [
		{name: 'v', reads: sql, sql},
		{name: 'w', reads: 'select `shop`.`v`.`a` from `shop`.`v`', sql: 'create view `w` as select `v`.`a` from `v`'},
		{name: 'plain', reads: 'select `shop`.`t`.`a` from `shop`.`t`', sql: 'create view `plain` as select `t`.`a` from `t`'},
	];
	t.deepEqual(outerAmong('shop', views, []), ['v', 'w']);
	t.is(
		movedTo({name: 'v', sql}, 'shop', 'copy').sql,
		'create view `v` as select `copy`.`t`.`shop`.`a`, `i`.`x` from `copy`.`t` join `information_schema`.`tables` `i`',
	);
	t.is(movedTo({name: 'v', sql}, 'shop', 'shop').sql, sql);
});

test('what every server has is no other database', async t => {
	const asked = server(sql =>
		sql.includes('view_definition')
			? [['v', 'select `information_schema`.`tables`.`table_name` AS `t` from `information_schema`.`tables`']]
			: [['shop'], ['information_schema'], ['mysql'], ['SYS']],
	);
	t.deepEqual(await outerViews(asked, 'shop'), []);
});
