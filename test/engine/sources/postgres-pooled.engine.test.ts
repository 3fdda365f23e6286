/** An application that reaches its database through a pooler in transaction mode: backed up and restored under it, and never dumped through it, but for one in session mode. Lane: waits. Turns: postgres. */
import test from 'ava';
import type {RestoreResult} from '../../../base/results.ts';
import {ensureImage} from '../../support/images.ts';
import {problemsOf} from '../../support/stack/far-server.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

/** Whoever comes is let in as the superuser; it keeps sessions of the server for whoever comes next. */
const pooling = `[databases]
* = host=db port=5432 user=postgres
[pgbouncer]
listen_addr = *
listen_port = 6432
auth_type = any
pool_mode = transaction
server_login_retry = 1
ignore_startup_parameters = options,extra_float_digits
`;

test('a pooler keeps sessions of the database: it is swapped, put back, and the pooler goes on by itself; a dump through it is refused', async t => {
	t.timeout(8 * 60_000);
	const image = await ensureImage('holdfast-test/german:pg17');
	const pooler = (rest: Record<string, unknown> = {}) => ({
		image,
		entrypoint: ['bash', '-c'],
		command: [`printf '%s' "$$CONFIGURATION" >/tmp/pgbouncer.ini; exec pgbouncer /tmp/pgbouncer.ini`],
		environment: {CONFIGURATION: pooling},
		user: 'postgres',
		...rest,
	});
	const through = (host: string) => ({
		image,
		command: ['sleep', 'infinity'],
		init: true,
		labels: {
			'holdfast.enable': 'true',
			'holdfast.postgres': 'shop',
			'holdfast.postgres.host': host,
			'holdfast.postgres.port': '6432',
		},
	});
	const stack = await startStack(t, {
		services: {
			db: {
				image,
				environment: {POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'shop', POSTGRES_HOST_AUTH_METHOD: 'trust'},
				labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'shop'},
			},
			pooler: pooler({depends_on: ['db']}),
			aside: pooler(),
			steady: pooler({environment: {CONFIGURATION: pooling.replace('= transaction', '= session')}}),
			app: {image, command: ['sleep', 'infinity'], init: true, depends_on: ['pooler']},
			outside: through('aside'),
			further: through('steady'),
		},
	});
	const ask = async (host: string, ...statements: string[]) =>
		stack.exec(
			'app',
			...['psql', '-h', host, '-p', host === 'db' ? '5432' : '6432', '-XAtq', '-U', 'postgres', '-d', 'shop'],
			...statements.flatMap(statement => ['-c', statement]),
		);
	const startedAt = async (service: string) => stack.docker(['inspect', '--format', '{{.State.StartedAt}}', stack.container(service)]);
	for (const host of ['db', 'pooler', 'aside']) {
		await until('the database answers', async () => ask(host, 'select 1'), {timeout: 120_000});
	}

	await ask('pooler', 'create table orders as select n from generate_series(1, 100) n');
	const [backup] = await stack.backup(`${stack.project}/db`);
	t.is(backup?.outcome, 'success', backup?.error);
	for (const host of ['pooler', 'aside']) {
		await ask(host, 'delete from orders where n > 40');
	}

	t.is(
		await ask('db', "select count(distinct client_addr) from pg_stat_activity where datname = 'shop' and client_addr <> '127.0.0.1'"),
		'3',
	);
	const began = {pooler: await startedAt('pooler'), aside: await startedAt('aside')};
	const restored = await stack.restore(`${stack.project}/db`);
	t.is(restored.outcome, 'success', restored.error);
	t.not(await startedAt('pooler'), began.pooler, 'it depends on the server, so it was stopped');
	t.is(await startedAt('aside'), began.aside, 'nobody says that it does');
	for (const host of ['pooler', 'aside']) {
		await until(`${host} has found the restored database`, async () => (await ask(host, 'select count(*) from orders')) === '100', {
			timeout: 20_000,
		});
	}

	const undone = JSON.parse((await stack.holdfast('restore', 'undo', restored.run, '--json')).stdout) as RestoreResult;
	t.is(undone.outcome, 'success', undone.error);
	for (const host of ['pooler', 'aside']) {
		await until(`${host} has found the former database`, async () => (await ask(host, 'select count(*) from orders')) === '40', {
			timeout: 20_000,
		});
	}

	// Through a pooler: what a dump sets would be the application's.
	t.regex(await problemsOf(stack, 'outside'), /`aside:6432` is a pooler that hands sessions on between transactions/);
	const [refused] = await stack.backup(`${stack.project}/outside`);
	t.is(refused?.outcome, 'failed');
	for (let times = 0; times < 5; times++) {
		t.is(await ask('aside', 'select count(*) from orders'), '40');
	}

	const [dumped] = await stack.backup(`${stack.project}/further`);
	t.is(dumped?.outcome, 'success', dumped?.error);
	t.is(await ask('steady', 'select count(*) from orders'), '40');

	await ask('aside', 'set search_path = pg_catalog');
	await t.throwsAsync(
		ask('aside', 'select count(*) from orders'),
		{message: /relation "orders" does not exist/},
		'it would have been seen',
	);
});
