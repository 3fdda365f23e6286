import test from 'ava';
import type {MariadbServer} from '../../../../../agent/sources/mariadb/server.ts';
import {moveBack} from '../../../../../agent/sources/mariadb/swap.ts';

/** A server of databases that are lists of tables: it understands what a way back asks of it. */
function memoryServer(databases: Record<string, string[]>) {
	const named = (sql: string) => [...sql.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
	const query = async (sql: string): Promise<string[][]> => {
		const schema = Buffer.from(/(?:table_schema|schema_name) = _utf8mb4 0x([0-9a-f]+)/.exec(sql)?.[1] ?? '', 'hex').toString();
		if (sql.includes('default_character_set_name')) {
			return databases[schema] === undefined ? [] : [['utf8mb4', 'utf8mb4_bin']];
		}

		if (sql.includes('information_schema.tables')) {
			return (databases[schema] ?? []).toSorted().map(table => [table]);
		}

		if (sql.includes('information_schema.schemata')) {
			return databases[schema] === undefined ? [] : [['1']];
		}

		if (sql.startsWith('create database')) {
			databases[named(sql)[0] ?? ''] = [];
		} else if (sql.startsWith('drop database')) {
			delete databases[named(sql)[0] ?? ''];
		} else if (sql.startsWith('rename table')) {
			for (const move of sql.slice('rename table '.length).split(', ')) {
				const [from = '', table = '', to = '', name = ''] = named(move);
				if (databases[to]?.includes(name)) {
					throw new Error(`Table '${name}' already exists`);
				}

				databases[from] = (databases[from] ?? []).filter(each => each !== table);
				databases[to] = [...(databases[to] ?? []), name];
			}
		}

		return [];
	};
	return {databases, server: {query} as unknown as MariadbServer};
}

const back = {live: 'shop', fresh: 'shop_restore', aside: 'shop_before'};

test('what was swapped is back, with what the application has made since out of the way', async t => {
	const {databases, server} = memoryServer({shop: ['a', 'b', 'made'], shop_before: ['a', 'old']});
	await moveBack(server, {...back, restored: 2});
	t.deepEqual(databases.shop?.toSorted(), ['a', 'old']);
	t.deepEqual(databases.shop_restore?.toSorted(), ['a', 'b', 'made']);
	t.is(databases.shop_before, undefined);
});

test('… also of a point that had no tables', async t => {
	const {databases, server} = memoryServer({shop: ['a'], shop_before: ['a', 'old'], shop_restore: []});
	await moveBack(server, {...back, restored: 0});
	t.deepEqual(databases.shop?.toSorted(), ['a', 'old']);
	t.is(databases.shop_before, undefined);
});

test('what stayed where it was, because the swap broke off, is not taken away', async t => {
	const {databases, server} = memoryServer({shop: ['b'], shop_before: ['a'], shop_restore: ['a', 'b']});
	await moveBack(server, {...back, restored: 2});
	t.deepEqual(databases.shop?.toSorted(), ['a', 'b']);
});
