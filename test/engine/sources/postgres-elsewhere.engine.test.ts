/** A database that names what is elsewhere (tablespaces, partitions on another server): rehearsed, and restored to a server that has neither. Lane: waits. Turns: postgres. */
import test from 'ava';
import type {BackupResult, DrillResult} from '../../../base/results.ts';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

test('a new server lacks the tablespaces and the foreign server: all rows that were dumped are there, and what became of the rest is said', async t => {
	t.timeout(6 * 60_000);
	const server = {
		image: await ensureImage('postgres:18'),
		environment: {POSTGRES_PASSWORD: 'secret', POSTGRES_HOST_AUTH_METHOD: 'trust'},
		labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'shop'},
	};
	const stack = await startStack(t, {services: {old: {...server}, fresh: {...server}}});
	const psql = async (service: string, database: string, ...statements: string[]) =>
		stack.exec(
			service,
			...['psql', '-h', '127.0.0.1', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', database],
			...statements.flatMap(statement => ['-c', statement]),
		);
	for (const service of ['old', 'fresh']) {
		await until('the database answers', async () => psql(service, 'postgres', 'select 1'), {timeout: 60_000});
	}

	await stack.exec('old', 'install', '--directory', '--owner=postgres', '/space', '/beside');
	await psql(
		'old',
		'postgres',
		"create tablespace fast location '/space'",
		`create tablespace "On SSD" location '/beside'`,
		'create database shop tablespace "On SSD"',
		'alter database shop set temp_tablespaces = fast',
	);
	await psql(
		'old',
		'shop',
		'create table orders (n int primary key using index tablespace fast, note text) tablespace fast',
		"insert into orders select i, 'x' from generate_series(1, 500) i",
		// From 18 on an entry of its own, which makes no index.
		'alter table orders add constraint noted not null note not valid',
		'create extension postgres_fdw',
		"create server far foreign data wrapper postgres_fdw options (host 'gone.invalid', dbname 'x')",
		"create user mapping for postgres server far options (user 'x', password 'x')",
		'create table logs (at int, line text) partition by range (at)',
		'create table logs_now partition of logs for values from (100) to (200)',
		'create foreign table logs_then partition of logs for values from (0) to (100) server far',
		"insert into logs_now select 150, 'x' from generate_series(1, 70)",
	);
	const target = `${stack.project}/old`;

	const [backup] = (await stack.backup(target)) as [BackupResult];
	t.is(backup.outcome, 'success', backup.error);
	const drilled = JSON.parse((await stack.holdfast('drill', target, '--json')).stdout) as DrillResult;
	t.is(drilled.outcome, 'success', JSON.stringify(drilled));

	const restored = await stack.holdfast('restore', `${stack.project}/fresh`, '--from-target', target, '--yes', '--json');
	t.is(restored.exitCode, 0, restored.stderr);
	t.regex(restored.stderr, /`postgres:shop`: the server lacks the tablespace fast, "On SSD": what was in it goes into the default one/);
	t.is(await psql('fresh', 'shop', 'select count(*), max(n) from orders', 'select count(*) from logs_now'), '500|500\n70');
	t.is(
		await psql('fresh', 'shop', "select reltuples from pg_class where relname in ('orders', 'logs_now') order by relname"),
		'70\n500',
		'statistics',
	);
});
