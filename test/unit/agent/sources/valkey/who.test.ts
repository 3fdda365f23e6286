import test from 'ava';
import {settingsOf} from '../../../../../agent/sources/valkey/settings.ts';
import {loginsOf} from '../../../../../agent/sources/valkey/who.ts';

const read = async (path: string) => (path === '/run/secrets/redis' ? 'of a file\n' : Promise.reject(new Error('there is none')));
const said = async (env: Record<string, string>, wanted: {user?: string; password?: string} = {}, words: string[] = []) => {
	const {logins, unread} = await loginsOf({env, settings: settingsOf(words, []), read, wanted});
	return [...logins.map(({user = '-', password}) => `${user} ${password}`), ...unread];
};

test('passwords in the order in which they are tried: the server’s own settings, then variables and their files', async t => {
	t.deepEqual(
		await said({REDIS_PASSWORD: 'b', REDISPASS: 'c', VALKEY_PASSWORD_FILE: '/run/secrets/redis', OTHER_PASSWORD: 'no'}, {}, [
			'--requirepass',
			'a',
		]),
		['- a', '- b', '- c', '- of a file'],
	);
	t.deepEqual(await said({REDIS_PASSWORD: '', REDIS_HOST: 'x'}), []);
});

test('what a label says is tried alone; a user of a label has the passwords that are known', async t => {
	t.deepEqual(await said({REDIS_PASSWORD: 'b'}, {user: 'keeper', password: 'k'}), ['keeper k']);
	t.deepEqual(await said({REDIS_PASSWORD: 'b'}, {user: 'keeper'}, ['--user', 'keeper', 'on', '>own']), ['keeper own', 'keeper b']);
});

test('a file that cannot be read is said', async t => {
	t.regex((await said({REDIS_PASSWORD_FILE: '/gone'})).join(), /`REDIS_PASSWORD_FILE` names `\/gone`, which cannot be read: there is none/);
});
