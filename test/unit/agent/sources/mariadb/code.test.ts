import test from 'ava';
import {brokenViews, flavoured, makeBroken} from '../../../../../agent/sources/mariadb/code.ts';
import type {MariadbServer} from '../../../../../agent/sources/mariadb/server.ts';

const server = (query: (sql: string) => string[][]) => ({query: async (sql: string) => query(sql)}) as unknown as MariadbServer;

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
	const told: string[] = [];
	const views = ['second', 'never', 'first'].map(sql => ({name: sql, sql}));
	await makeBroken(picky, 'shop', views, event => told.push('message' in event ? event.message : ''));
	t.deepEqual(made, ['first', 'second']);
	t.deepEqual(told, ['the view `never` of `shop` was broken, and could not be made again: it is not there']);
});

test("MySQL's own program is told what MariaDB's does not know", t => {
	t.deepEqual(flavoured({flavour: 'mysql', isExternal: false}), ['--set-gtid-purged=OFF', '--no-tablespaces']);
	t.deepEqual(flavoured({flavour: 'mysql', isExternal: true}), []);
	t.deepEqual(flavoured({flavour: 'mariadb', isExternal: false}), []);
});
