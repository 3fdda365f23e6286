import test from 'ava';
import {inBoth, listContents, missingContents} from '../../../../../agent/sources/mariadb/contents.ts';
import type {MariadbServer} from '../../../../../agent/sources/mariadb/server.ts';

const list = async (...rows: string[][]) => listContents({query: async () => rows} as unknown as MariadbServer, 'shop');

test('what was there at both times is expected, by its name: one that went and one that came are no pair', async t => {
	const before = await list(['tables', 'kept'], ['tables', 'went'], ['routines', 'FUNCTION one']);
	const after = await list(['tables', 'kept'], ['tables', 'came'], ['routines', 'FUNCTION one']);
	const had = inBoth(before, after);
	t.like(had, {tables: 1, routines: 1, events: 0});
	t.deepEqual(missingContents(had, {...had, routines: 0}), ['the database had 1 routines, and 0 are there after loading']);
});
