/** Tables that a server encrypts, and whether another one has keys for them; the server is a function that answers. */
import test from 'ava';
import {encryptionOf, encryptionProblems, unencrypted} from '../../../../../agent/sources/mariadb/encryption.ts';

const server = (...rows: string[][]) => ({flavour: 'mariadb', where: 'in container `db`', query: async () => rows}) as const;

test('which tables are encrypted, and by which keys', async t => {
	const rows = [
		['`encrypted`=yes `encryption_key_id`=20', 'OFF'],
		['`ENCRYPTED`=YES', 'OFF'],
		['`encrypted`=no', 'OFF'],
		["row_format=DYNAMIC `encryption_key_id`='3'", 'OFF'],
	];
	t.deepEqual(await encryptionOf(server(...rows), 'shop'), {tables: 3, keys: [3, 20], isDefault: false});
	t.true((await encryptionOf(server(['`encryption_key_id`=3', 'ON']), 'shop')).isDefault);
	t.deepEqual(await encryptionOf(server(), 'shop'), unencrypted);
	t.deepEqual(await encryptionOf({flavour: 'mysql', query: async () => [["encryption='y'", '']]}, 'shop'), unencrypted);
});

test('a server without keys cannot make them again', async t => {
	const shop = {...unencrypted, tables: 2};
	t.regex((await encryptionProblems(shop, server())).join(), /2 of its tables .* in container `db` has no keys .*file_key_management/);
	t.deepEqual(await encryptionProblems(shop, server(['1'])), []);
	t.deepEqual(await encryptionProblems(unencrypted, server()), []);
});
