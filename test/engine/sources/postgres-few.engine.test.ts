/** A server with few connections, most of which its application has: all databases are backed up, or it is said before that they cannot be, and the application is not refused. Lane: waits. Turns: postgres. */
import test from 'ava';
import {execa} from 'execa';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const databases = 30;
const held = 10;

/** Opens ten sessions at once, again and again, and counts those that it does not get. */
const application = `
tried=0
while :; do
	for n in $(seq ${held}); do
		tried=$((tried + 1))
		timeout 20 psql -XAtq -U app -d shop -c 'select pg_sleep(0.2 + random())' >/dev/null 2>>/tmp/refusals &
	done
	wait
	refused=$(grep -c FATAL /tmp/refusals); echo "$refused $tried" >/tmp/count
done`;

test('thirty databases on a server with twenty connections, ten of them in use', async t => {
	t.timeout(12 * 60_000);
	const [postgres, app] = await Promise.all([ensureImage('postgres:17'), ensureImage('holdfast-test/app:latest')]);
	const stack = await startStack(t, {
		services: {
			db: {
				image: postgres,
				command: ['postgres', '-c', 'max_connections=20'],
				environment: {POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'shop'},
				labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'true'},
			},
			grouped: {
				image: postgres,
				command: ['postgres', '-c', 'max_connections=20'],
				environment: {POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'shop'},
				labels: {'holdfast.enable': 'true', 'holdfast.group': 'files', 'holdfast.postgres': 'true'},
			},
			app: {
				image: app,
				command: ['sleep', 'infinity'],
				init: true,
				volumes: ['data:/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.group': 'files', 'holdfast.volumes': 'true'},
			},
		},
		volumes: ['data'],
	});
	const psql = async (service: string, sql: string, database = 'shop') =>
		stack.exec(service, 'psql', '-h', '127.0.0.1', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', database, '-c', sql);
	const names = Array.from({length: databases - 2}, (_, index) => `tenant_${index}`);
	for (const service of ['db', 'grouped']) {
		await until('the database answers', async () => psql(service, 'select 1'), {timeout: 60_000});
		await stack.exec(
			service,
			'bash',
			'-c',
			`for name in ${names.join(' ')}; do echo "create database $name;"; done | psql -q -U postgres -d shop`,
		);
	}

	await psql('db', 'create role app login');
	await psql('db', 'create table marks as select n from generate_series(1, 1000) n', 'tenant_7');
	const running = execa('docker', ['exec', stack.container('db'), 'bash', '-c', application], {reject: false});
	t.teardown(async () => {
		running.kill();
		await running;
	});
	const used = "select count(*) from pg_stat_activity where usename = 'app'";
	await until('the application has its sessions', async () => Number(await psql('db', used)) >= held - 2, {timeout: 30_000});

	const target = `${stack.project}/db`;
	const plan = await stack.holdfast('plan', target);
	t.regex(plan.stdout, /its 30 databases are dumped in turn, each of its own moment: together they need 31 sessions/);
	const [result] = await stack.backup(target);
	t.is(result?.outcome, 'success', result?.error);
	t.is(result?.sources.length, databases);
	const count = await stack.exec('db', 'cat', '/tmp/count');
	const [refused = '', tried = ''] = count.trim().split(' ');
	t.is(refused, '0', `of ${tried} sessions, the application was refused ${refused}`);
	t.true(Number(tried) > 50, 'it was at work all the time');
	running.kill();

	await psql('db', 'truncate marks', 'tenant_7');
	const restored = await stack.restore(target, '--only', 'postgres:tenant_7');
	t.is(restored.outcome, 'success', restored.error);
	t.is(await psql('db', 'select count(*) from marks', 'tenant_7'), '1000');

	// One moment with files: what can never be had is said before anything is touched.
	const refusedPlan = await stack.holdfast('plan', `${stack.project}/files`);
	t.not(refusedPlan.exitCode, 0);
	t.regex(refusedPlan.stdout + refusedPlan.stderr, /30 databases of one moment need 31 sessions of the server .*17 at most/);
	await stack.exec(
		'grouped',
		'bash',
		'-c',
		`for name in ${names.slice(4).join(' ')}; do echo "drop database $name;"; done | psql -q -U postgres -d shop`,
	);
	const [grouped] = await stack.backup(`${stack.project}/files`);
	t.is(grouped?.outcome, 'success', grouped?.error);
	t.is(grouped?.sources.length, 7);
});
