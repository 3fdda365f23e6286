/** How a server was started is found in what people write into Compose files. */
import test from 'ava';
import {argumentsOf, configFiles, settingsOf} from '../../../../../agent/sources/valkey/settings.ts';

const env = {REDIS_PASSWORD: "p'a s$s", EMPTY: '', VALKEY_EXTRA_FLAGS: '--port 7000'};
const files: Record<string, string> = {'/run/secrets/redis': 'of a secret\n'};
const read = async (path: string) => files[path] ?? Promise.reject(new Error('there is none'));
const words = async (...argv: string[]) => argumentsOf(argv, {env: {...env, VALKEY_EXTRA_FLAGS: ''}, read});
const password = async (...argv: string[]) => settingsOf(await words(...argv), []).passwordsOf('default')[0];

for (const [name, argv, expected] of [
	['a plain option', ['docker-entrypoint.sh', 'redis-server', '--requirepass', 'a b'], 'a b'],
	['only options', ['docker-entrypoint.sh', '--appendonly', 'yes', '--requirepass', 'x'], 'x'],
	['a path to the server', ['/usr/bin/valkey-server', '--requirepass', 'x'], 'x'],
	['a variable for a shell', ['sh', '-c', 'exec redis-server --requirepass "$REDIS_PASSWORD" --port 1'], "p'a s$s"],
	// biome-ignore lint/suspicious/noTemplateCurlyInString: it is a shell's
	['a braced variable', ['sh', '-c', 'redis-server --requirepass ${REDIS_PASSWORD:-x}'], "p'a s$s"],
	['a file that the shell reads', ['sh', '-c', 'redis-server --requirepass "$(cat /run/secrets/redis)"'], 'of a secret'],
	['the same with backquotes', ['sh', '-c', 'redis-server --requirepass `cat /run/secrets/redis`'], 'of a secret'],
	['the same by a redirection', ['sh', '-c', 'redis-server --requirepass "$(< /run/secrets/redis)"'], 'of a secret'],
	['a literal', ['sh', '-c', 'redis-server --requirepass \'$x "y"\''], '$x "y"'],
	['after other commands', ['sh', '-c', 'sysctl vm.overcommit_memory=1 && redis-server --requirepass x; echo --requirepass y'], 'x'],
	['none', ['docker-entrypoint.sh', 'redis-server', '--requirepass', ''], undefined],
] as const) {
	test(`the password of a command line: ${name}`, async t => {
		t.is(await password(...argv), expected);
	});
}

test('arguments that the image adds come last', async t => {
	const settings = settingsOf(await argumentsOf(['valkey-server', '--port', '1'], {env, read}), []);
	t.is(settings.value('port'), '7000');
});

test('a configuration file: quotes, escapes, renamed commands, users; the command line is stronger', t => {
	const file = `# requirepass no
requirepass "a\\"b\\x20\\\\c"
Dir /srv/data
rename-command CONFIG secret-config
rename-command BGSAVE ""
user default on >other ~* +@all
user keeper on >k1 >k2 +bgsave
tls-port 0`;
	const settings = settingsOf(['/etc/valkey.conf', '--tls-port', '6380'], [file]);
	t.deepEqual(settings.passwordsOf('default'), ['a"b \\c', 'other']);
	t.deepEqual(settings.passwordsOf('keeper'), ['k1', 'k2']);
	t.is(settings.value('dir'), '/srv/data');
	t.is(settings.value('tls-port'), '6380');
	t.is(settings.command('CONFIG'), 'secret-config');
	t.is(settings.command('BGSAVE'), '');
	t.is(settings.command('INFO'), 'INFO');
});

test('the configuration that the command line names, or where images have it', async t => {
	t.deepEqual(configFiles(await words('docker-entrypoint.sh', 'redis-server', '/my/own.conf', '--port', '1')), ['/my/own.conf']);
	t.deepEqual(configFiles(await words('sh', '-c', 'make-it >/tmp/a.conf; exec entry /tmp/a.conf --appendonly yes')), ['/tmp/a.conf']);
	t.true(configFiles(await words('redis-server')).includes('/opt/bitnami/redis/etc/redis.conf'));
});
