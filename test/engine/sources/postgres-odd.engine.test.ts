/** Databases with contents that are not loaded as they are dumped: rehearsed and restored row by row, or refused by the plan, and told once. Lane: waits. Turns: postgres. */
import test from 'ava';
import type {BackupResult, DrillResult} from '../../../base/results.ts';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const psqlIn =
	(stack: Stack, service: string) =>
	async (sql: string, database = 'shop', user = 'postgres') =>
		stack.exec(service, 'psql', '-h', '127.0.0.1', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', user, '-d', database, '-c', sql);

const drill = async (stack: Stack, target: string): Promise<DrillResult> =>
	JSON.parse((await stack.holdfast('drill', target, '--json')).stdout);

test('functions that rely on the search path, in indexes, generated columns and materialized views', async t => {
	t.timeout(8 * 60_000);
	const stack = await startStack(t, {
		services: {
			db: {
				// In later versions no index can rely on it.
				image: await ensureImage('postgres:15'),
				environment: {POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'shop', POSTGRES_HOST_AUTH_METHOD: 'trust'},
				labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'shop'},
			},
		},
	});
	const psql = psqlIn(stack, 'db');
	await until('the database answers', async () => psql('select 1'), {timeout: 60_000});
	await psql('create schema app; alter database shop set search_path = app, public');
	await psql('create extension unaccent schema public; create table app.rates (factor int); insert into app.rates values (3)');
	await psql(`create function app.plain(text) returns text language sql immutable as $$ select unaccent('unaccent', lower($1)) $$;
		create function app.rate(int) returns int language sql immutable as $$ select $1 * factor from rates $$;
		create table app.words (word text, n int, rated int generated always as (rate(n)) stored);
		insert into app.words (word, n) select 'Café ' || i, i from generate_series(1, 500) i;
		create index words_plain on app.words (plain(word));
		create materialized view app.sums as select plain(word) as word, rated from words;`);
	const digest = `select md5(string_agg(w::text, ',' order by n)) || (select md5(string_agg(s::text, ',' order by rated)) from sums s) from words w`;
	const before = await psql(digest);
	const target = `${stack.project}/db`;

	const [result] = (await stack.backup(target)) as [BackupResult];
	t.is(result.outcome, 'success', result.error);
	const drilled = await drill(stack, target);
	t.is(drilled.outcome, 'success', JSON.stringify(drilled));
	await psql('update words set n = 0; refresh materialized view sums');
	const restored = await stack.restore(target);
	t.is(restored.outcome, 'success', JSON.stringify(restored));
	t.is(await psql(digest), before);
	t.is(await psql("select count(*) from words where plain(word) = 'cafe 7'"), '1');
	t.is(await psql('show search_path'), 'app, public');
});

test('jobs, slots, publications, policies and prepared transactions', async t => {
	t.timeout(10 * 60_000);
	const image = await ensureImage('holdfast-test/extended:pg17');
	const settings = ['shared_preload_libraries=pg_cron', 'cron.database_name=jobs', 'wal_level=logical', 'max_prepared_transactions=5'];
	const environment = {POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'shop', POSTGRES_HOST_AUTH_METHOD: 'trust'};
	const stack = await startStack(t, {
		services: {
			db: {
				image,
				command: ['postgres', ...settings.flatMap(setting => ['-c', setting])],
				environment,
				labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'jobs,shop'},
			},
			app: {image, command: ['sleep', 'infinity'], init: true, depends_on: ['db']},
			poor: {
				image,
				environment,
				labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'shop', 'holdfast.postgres.user': 'keeper'},
			},
		},
	});
	const psql = psqlIn(stack, 'db');
	await until('the database answers', async () => psql('select 1'), {timeout: 60_000});
	await psql('create database jobs');
	await psql('create extension pg_cron; create table ticks (at timestamptz)', 'jobs');
	await psql("select cron.schedule('tick', '1 second', 'insert into ticks values (now())')", 'jobs');
	await psql(`create table orders as select n from generate_series(1, 100) n; create publication everything for all tables`);
	await psql("select pg_create_logical_replication_slot('consumer', 'pgoutput')");
	const target = `${stack.project}/db`;

	const [first] = (await stack.backup(target)) as [BackupResult];
	t.is(first.outcome, 'success', first.error);
	t.regex((first.warnings ?? []).join('\n'), /`postgres:jobs` has the extension pg_cron/);
	t.regex((first.warnings ?? []).join('\n'), /`postgres:shop` has the logical replication slot `consumer`/);
	const [second] = (await stack.backup(target)) as [BackupResult];
	t.deepEqual(second.warnings ?? [], [], 'told once');
	const drilled = await drill(stack, target);
	t.is(drilled.outcome, 'success', JSON.stringify(drilled));
	const refused = await stack.holdfast('restore', target, '--dry-run');
	t.not(refused.exitCode, 0);
	t.regex(refused.stdout + refused.stderr, /its extension pg_cron is made in no database but that of `cron\.database_name`/);
	t.regex(refused.stdout + refused.stderr, /has the logical replication slot `consumer`/);

	// The way out, and then an undo that something is in the way of.
	await psql("select pg_drop_replication_slot('consumer')");
	const restored = await stack.restore(target, '--only', 'postgres:shop');
	t.is(restored.outcome, 'success', restored.error);
	await psql("begin; insert into orders values (101); prepare transaction 'of the application'");
	const startedAt = async () => stack.docker(['inspect', '--format', '{{.State.StartedAt}}', stack.container('app')]);
	const began = await startedAt();
	const stuck = await stack.holdfast('restore', 'undo', restored.run);
	t.not(stuck.exitCode, 0);
	t.regex(stuck.stdout + stuck.stderr, /nothing was stopped, .*prepared transaction `of the application`/);
	t.is(await startedAt(), began);
	await psql("commit prepared 'of the application'");
	const undone = await stack.holdfast('restore', 'undo', restored.run);
	t.is(undone.exitCode, 0, undone.stderr);
	t.is(await psql('select count(*) from orders'), '100');

	// A role from which a policy hides rows is told so by the plan.
	const poor = psqlIn(stack, 'poor');
	await poor(`create role keeper login createdb; create table secrets (n int); alter table secrets enable row level security;
		grant select on secrets to keeper`);
	const plan = await stack.holdfast('plan', `${stack.project}/poor`);
	t.not(plan.exitCode, 0);
	t.regex(plan.stdout + plan.stderr, /hide rows of "public\.secrets" in database "shop"/);
	await poor('alter role keeper bypassrls');
	const [kept] = (await stack.backup(`${stack.project}/poor`)) as [BackupResult];
	t.is(kept.outcome, 'success', kept.error);
});
