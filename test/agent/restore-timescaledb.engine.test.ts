/** TimescaleDB keeps much in its own tables, and wants to be told of a restore. Debian's build has no compression and no continuous aggregates. */
import test from 'ava';
import {ensureImage} from '../support/images.ts';
import {startStack} from '../support/stack.ts';
import {until} from '../support/until.ts';

const content = `
	create extension timescaledb;
	create table metrics (time timestamptz not null, device int not null, value double precision);
	select create_hypertable('metrics', by_range('time', interval '1 day'));
	insert into metrics select '2026-01-01'::timestamptz + i * interval '10 minutes', i % 7, i from generate_series(1, 3000) i;
	create index on metrics (device, time desc);`;

const fingerprint = `
	select count(*), sum(value), min(time), max(time) from metrics; select count(*) from timescaledb_information.chunks;
	select hypertable_name, num_chunks from timescaledb_information.hypertables`;

test('hypertables come back, and take new rows', async t => {
	const stack = await startStack(t, {
		services: {
			db: {
				image: await ensureImage('holdfast-test/timescaledb:pg17'),
				environment: {POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'app'},
				labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'app'},
			},
		},
	});
	const psql = async (sql: string) =>
		stack.exec('db', 'psql', '-h', '127.0.0.1', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', 'app', '-c', sql);
	await until('the database answers', () => psql('select 1'), {timeout: 90_000});
	for (const statement of content.split(';').filter(part => part.trim() !== '')) {
		await psql(statement);
	}

	const before = await psql(fingerprint);
	const [backup] = await stack.backup(`${stack.project}/db`);
	t.is(backup?.outcome, 'success', backup?.error);
	await psql('drop table metrics cascade');
	const result = await stack.restore(`${stack.project}/db`);
	t.is(result.outcome, 'success', result.error);
	t.is(await psql(fingerprint), before);
	await psql("insert into metrics values ('2026-02-01', 1, 1)");
	t.is(await psql("select current_setting('timescaledb.restoring')"), 'off');
});
