import test from 'ava';
import {generatedTables} from '../../../../../agent/sources/mariadb/generated.ts';

test('generated columns are in the way of MySQL elsewhere only, which is dumped by the program of MariaDB', async t => {
	const query = async () => [['t']];
	t.deepEqual(await generatedTables({flavour: 'mysql', isExternal: true, query}, 'shop'), ['t']);
	t.deepEqual(await generatedTables({flavour: 'mysql', isExternal: false, query}, 'shop'), []);
	t.deepEqual(await generatedTables({flavour: 'mariadb', isExternal: true, query}, 'shop'), []);
});
