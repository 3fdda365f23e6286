import test from 'ava';
import {said} from '../../../../../agent/sources/postgres/process.ts';
import {whoDumps} from '../../../../../agent/sources/postgres/who.ts';

const lock = (socket: string, address: string) => ['1', '/data', '1764000000', '5433', socket, address, '1 2', 'ready'];

test('the lock file knows the port and the socket; an address where there is no socket; then the arguments', t => {
	t.deepEqual(said(['postgres'], '/data', lock('/tmp', '*')), {dataFolder: '/data', port: 5433, host: '/tmp', address: '127.0.0.1'});
	t.deepEqual(said(['postgres'], '', lock('', '*')), {dataFolder: '/data', port: 5433, host: '127.0.0.1', address: undefined});
	t.deepEqual(said(['postgres', '-c', 'port=5434', '-c', 'unix_socket_directories=/a, /b', '-D', '/d'], '', []), {
		dataFolder: '/d',
		port: 5434,
		host: '/a',
		address: undefined,
	});
	t.deepEqual(said(['postgres', '--port=1', '-p5435', '-k', '/s'], '/d', []), {
		dataFolder: '/d',
		port: 5435,
		host: '/s',
		address: undefined,
	});
	t.deepEqual(said(['postgres'], '', []), {dataFolder: undefined, port: undefined, host: undefined, address: undefined});
});

const who = async (env: Record<string, string>, role?: string) => {
	const {user, password, isOwn} = await whoDumps(env, role, async path => {
		if (path === '/gone') {
			throw new Error('no such file');
		}

		return `of ${path}\n`;
	});
	return [user, password, isOwn];
};

test('the role and its password, as images name them', async t => {
	t.deepEqual(await who({}), ['postgres', undefined, true]);
	t.deepEqual(await who({POSTGRES_USER: 'a', POSTGRES_PASSWORD: 'x'}), ['a', 'x', true]);
	t.deepEqual(await who({POSTGRES_USER_FILE: '/u', POSTGRES_PASSWORD_FILE: '/p'}), ['of /u', 'of /p', true]);
	t.deepEqual(await who({PGUSER: 'c', PGPASSWORD: 'y', POSTGRES_PASSWORD: 'x'}), ['c', 'y', true]);
	t.deepEqual(await who({POSTGRES_USER: 'a', PGUSER: 'c', PGPASSWORD: 'y', POSTGRES_PASSWORD: 'x'}), ['a', 'x', true]);
	t.deepEqual(await who({POSTGRESQL_USERNAME: 'shop', POSTGRESQL_PASSWORD: 'x'}), ['shop', 'x', true]);
	t.deepEqual(await who({POSTGRESQL_USERNAME: 'shop', POSTGRESQL_PASSWORD: 'x', POSTGRESQL_POSTGRES_PASSWORD_FILE: '/p'}), [
		'postgres',
		'of /p',
		true,
	]);
	t.deepEqual(await who({POSTGRES_USER: 'a', POSTGRES_PASSWORD: 'x'}, 'keeper'), ['keeper', 'x', false]);
});

test('a file that cannot be read: that of the role is an error with the label, that of a password may not be needed', async t => {
	await t.throwsAsync(who({POSTGRES_USER_FILE: '/gone'}), {message: /`POSTGRES_USER_FILE` of the container names `\/gone`/});
	t.deepEqual(await who({POSTGRES_USER_FILE: '/gone'}, 'keeper'), ['keeper', undefined, false]);
	t.deepEqual(await who({POSTGRES_PASSWORD_FILE: '/gone'}), ['postgres', undefined, true]);
});
