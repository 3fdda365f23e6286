import test from 'ava';
import {loginsOf} from '../../../../../agent/sources/mariadb/who.ts';

const files: Record<string, string> = {'/run/secrets/root': 'from a file\n'};
const read = async (path: string) => files[path] ?? Promise.reject(new Error('there is none'));
const said = async (env: Record<string, string>, wanted = {}) =>
	(await loginsOf(env, wanted, read)).logins.map(({user, password, asRoot}) => `${user} ${password ?? '-'}${asRoot ? ' as root' : ''}`);

test('whoever may do most is tried first', async t => {
	t.deepEqual(await said({MARIADB_ROOT_PASSWORD: 'r', MYSQL_USER: 'shop', MYSQL_PASSWORD: 's'}), [
		'root r',
		'root - as root',
		'mysql -',
		'shop s',
	]);
	t.deepEqual(await said({MYSQL_ROOT_PASSWORD_FILE: '/run/secrets/root'}), ['root from a file', 'root - as root', 'mysql -']);
	t.deepEqual(await said({MARIADB_ROOT_USER: 'boss', MARIADB_ROOT_PASSWORD: 'b'}), ['boss b', 'boss - as root', 'mysql -']);
	t.deepEqual(await said({}), ['root - as root', 'mysql -']);
});

test('a label names the account, and the image may know its password', async t => {
	t.deepEqual(await said({MARIADB_USER: 'shop', MARIADB_PASSWORD: 's'}, {user: 'shop'}), ['shop s']);
	t.deepEqual(await said({MARIADB_ROOT_PASSWORD: 'r'}, {user: 'keeper', password: 'k'}), ['keeper k']);
	t.deepEqual(await said({MARIADB_ROOT_PASSWORD: 'r'}, {password: 'k'}), ['root k']);
});

test('a file that cannot be read is named, and the others are tried', async t => {
	const {logins, unread} = await loginsOf({MARIADB_ROOT_PASSWORD_FILE: '/run/secrets/none'}, {}, read);
	t.is(logins.length, 2);
	t.regex(unread.join(), /MARIADB_ROOT_PASSWORD_FILE.*\/run\/secrets\/none/);
});
