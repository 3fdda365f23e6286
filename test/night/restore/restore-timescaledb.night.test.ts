/** TimescaleDB keeps much in its own tables, and wants to be told of a restore. Debian's build has no compression and no continuous aggregates. */
import test from 'ava';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const content = `
	create extension timescaledb;
	create extension promscale;
	create table metrics (time timestamptz not null, device int not null, value double precision);
	select create_hypertable('metrics', by_range('time', interval '1 day'));
	insert into metrics select '2026-01-01'::timestamptz + i * interval '10 minutes', i % 7, i from generate_series(1, 3000) i;
	create index on metrics (device, time desc);
	create table prom_data.cpu (time timestamptz not null, value double precision, series_id bigint not null);
	select create_hypertable('prom_data.cpu', by_range('time', interval '1 day'));
	insert into prom_data.cpu select '2026-01-01'::timestamptz + i * interval '10 minutes', i, i % 5 from generate_series(1, 1000) i;
	insert into _prom_catalog.metric values (1, 'cpu')`;

const fingerprint = `
	select count(*), sum(value), min(time), max(time) from metrics; select count(*) from timescaledb_information.chunks;
	select hypertable_name, num_chunks from timescaledb_information.hypertables order by 1;
	select count(*), sum(value) from prom_data.cpu; select id, metric_name from _prom_catalog.metric`;

test('hypertables come back in their order, and take new rows; an unexpected error fails, and nothing is touched', async t => {
	const stack = await startStack(t, {
		services: {
			db: {
				image: await ensureImage('holdfast-test/promscale:pg17'),
				environment: {POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'app'},
				labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'app'},
			},
		},
	});
	const target = `${stack.project}/db`;
	const psql = async (sql: string, database = 'app') =>
		stack.exec('db', 'psql', '-h', '127.0.0.1', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', database, '-c', sql);
	await until('the database answers', () => psql('select 1'), {timeout: 90_000});
	for (const statement of content.split(';')) {
		await psql(statement);
	}

	// The stand-in minds the order: without `pre_restore` it refuses to be told, and after the data it cannot be made.
	await psql('create database disordered', 'postgres');
	await psql('create extension timescaledb; create extension promscale', 'disordered');
	await t.throwsAsync(psql('select prom_api.promscale_post_restore()', 'disordered'), {message: /made after timescaledb_pre_restore/});
	await psql('drop extension promscale', 'disordered');
	await t.throwsAsync(psql('create extension promscale', 'disordered'), {message: /schema "prom_data" already exists/});

	const before = await psql(fingerprint);
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	const drill = await stack.holdfast('drill', `${stack.project}/db`, '--json');
	t.is(drill.exitCode, 0, drill.stdout);
	t.regex(drill.stdout, /[2-9]\d tables/);
	await psql('drop table metrics cascade');
	await psql('drop table prom_data.cpu cascade');
	const result = await stack.restore(target);
	t.is(result.outcome, 'success', result.error);
	t.deepEqual(result.tolerated, [
		{source: 'postgres:app', what: 'a schema was there already: the extension promscale had made it', count: 1},
	]);
	t.is(await psql(fingerprint), before);
	t.is(
		await psql(`select string_agg(what, ', ' order by n) from _prom_catalog.journal`),
		'made while timescaledb.restoring is on, told with 1 metrics',
	);
	await psql("insert into metrics values ('2026-02-01', 1, 1)");
	t.is(await psql("select current_setting('timescaledb.restoring')"), 'off');

	await psql("create table strict (name text check (name = current_database())); insert into strict values ('app')");
	const [second] = await stack.backup(target);
	t.is(second?.outcome, 'success', second?.error);
	const state = async () => psql('select oid, datname, datallowconn from pg_database order by oid', 'postgres');
	const untouched = await state();
	const failed = await stack.restore(target);
	t.is(failed.outcome, 'failed');
	t.regex(failed.error ?? '', /pg_restore of `app` failed.*COPY failed for table "strict".*violates check constraint/s);
	t.is(await state(), untouched);
	t.is(await psql('select name from strict'), 'app');
});
