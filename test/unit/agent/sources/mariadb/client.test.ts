import test from 'ava';
import {introduce, quoteIdentifier, quoteLiteral, runSql, ServerRefusal} from '../../../../../agent/sources/mariadb/client.ts';
import {output} from '../../../../../base/command.ts';
import {here} from '../../../../../base/here.ts';

test('who it is reaches the program through a pipe: not its arguments, not its environment', async t => {
	const {argv, env} = introduce({user: 'root', password: `a"b\\c'd#e; $(x)\n`, asRoot: false}, {socket: '/run/my sql.sock'}, [
		'sh',
		'-c',
		'true',
	]);
	t.false(argv.join(' ').includes('a"b'));
	const [shell, flag, script] = argv;
	const {stdout} = await output(here, {argv: [shell ?? '', flag ?? '', script ?? '', 'sh', 'sh', '-c', 'cat /dev/fd/3; env'], env});
	t.is(
		stdout.split('\n').slice(0, 5).join('\n'),
		`[client]\nuser="root"\npassword="a\\"b\\\\c'd#e; $(x)\\n"\nprotocol=socket\nsocket="/run/my sql.sock"`,
	);
	t.false(stdout.includes('HOLDFAST_LOGIN'));
});

test('names and texts are quoted so that nothing ends them', t => {
	t.is(quoteIdentifier('a`; drop'), '`a``; drop`');
	t.is(quoteLiteral(`'; \\`), '_utf8mb4 0x273b205c');
	t.is(quoteLiteral(''), "''");
});

test('what the server says is read back as it was, and its refusals have their number', async t => {
	const place = (script: string) => async () => here({argv: ['sh', '-c', `cat >/dev/null; ${script}`], stdin: true});
	t.deepEqual(await runSql(place(`printf 'a\\\\tb\\tc\\\\\\\\n\\n'`), {program: 'mariadb', sql: 'select 1'}), [['a\tb', 'c\\n']]);
	const refused = await t.throwsAsync(
		runSql(place(`echo 'ERROR 1045 (28000): Access denied' >&2; exit 1`), {program: 'mariadb', sql: ''}),
		{
			instanceOf: ServerRefusal,
		},
	);
	t.is(refused?.code, 1045);
});

test('over a network no file is handed out, and a name of a host cannot be another option', t => {
	const {env} = introduce({user: 'root', password: undefined, asRoot: false}, {host: 'db"\nport=1', port: 3307, plugins: '/plugins'}, [
		'mariadb',
	]);
	t.deepEqual(env.HOLDFAST_LOGIN?.split('\n'), [
		'[client]',
		'user="root"',
		'protocol=tcp',
		'host="db\\"\\nport=1"',
		'port=3307',
		'loose-ssl-verify-server-cert=0',
		'loose-local-infile=0',
		'loose-connect-timeout=10',
		'plugin-dir=/plugins',
	]);
});

test('a server whose sessions are all in use is asked again, and no longer than for a while', async t => {
	let asked = 0;
	const place = async () => {
		asked++;
		const script = asked < 3 ? `echo 'ERROR 1040 (HY000): Too many connections' >&2; exit 1` : 'echo 1';
		return here({argv: ['sh', '-c', `cat >/dev/null; ${script}`], stdin: true});
	};
	t.deepEqual(await runSql(place, {program: 'mariadb', sql: 'select 1'}), [['1']]);
	t.is(asked, 3);
	asked = 0;
	const refused = await t.throwsAsync(runSql(place, {program: 'mariadb', sql: 'select 1'}, 0), {instanceOf: ServerRefusal});
	t.is(refused?.code, 1040);
	t.is(asked, 1);
});
