/** Dump, destroy, restore, compare: on real engines, servers and files, through the command line as a person uses it. */
import test from 'ava';
import {docker} from '../support/docker.ts';
import {ensureImage} from '../support/images.ts';
import {startStack} from '../support/stack.ts';
import {until} from '../support/until.ts';

const postgres = async (version: string, labels: Record<string, string>) => ({
	image: await ensureImage(`postgres:${version}`),
	environment: {POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'app'},
	healthcheck: {test: ['CMD', 'pg_isready', '-h', '127.0.0.1', '-U', 'postgres'], interval: '1s', retries: 60},
	labels: {'holdfast.enable': 'true', ...labels},
});

/** Names that break quoting of every kind. */
const hostile = `a"b'; $(x) host=evil`;

/** Everything that a dump must carry: rows, a sequence, a large object, a view, an index, privileges, an odd table name. */
const content = `
	create role reader; create role keeper login password 'hush'; create role "Odd ""Role""" in role reader;
	create table entries (n bigserial primary key, payload text not null);
	insert into entries (payload) select md5(i::text) from generate_series(1, 5000) i;
	create table "we""ird; table" (a int check (a > 0)); insert into "we""ird; table" values (1);
	create view newest as select * from entries order by n desc limit 1;
	grant select on entries to reader; alter table entries owner to keeper;
	select lo_from_bytea(4711, decode(repeat('deadbeef', 1000), 'hex'));
	select setval('entries_n_seq', 123456);`;

/** One text that differs when anything does that a restore must bring back. */
const fingerprint = `
	select (select count(*) || md5(string_agg(n || payload, ',' order by n)) from entries),
		(select string_agg(a::text, ',') from "we""ird; table"), (select count(*) from newest), (select last_value from entries_n_seq),
		md5(lo_get(4711)), (select string_agg(relname || pg_get_userbyid(relowner) || coalesce(relacl::text, ''), ',' order by relname)
			from pg_class where relnamespace = 'public'::regnamespace),
		(select string_agg(indexdef, ',' order by indexdef) from pg_indexes where schemaname = 'public');
	select pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, datacl::text, datconnlimit,
		(select array_agg(setconfig::text || setrole::regrole order by setrole) from pg_db_role_setting where setdatabase = oid),
		shobj_description(oid, 'pg_database') from pg_database where datname = current_database()`;

const properties = (name: string) => `
	alter database ${name} set search_path to "$user", public, 'o''dd "schema'; alter database ${name} set work_mem to '7MB';
	alter role keeper in database ${name} set app.colour to 'it''s \\ red'; alter database ${name} connection limit 77;
	revoke connect on database ${name} from public; grant connect, temporary on database ${name} to reader with grant option;
	comment on database ${name} is 'kept; "for" ever'`;

for (const [version, format] of [
	['15', 'custom'],
	['15', 'plain'],
	['17', 'custom'],
	['17', 'plain'],
] as const) {
	test.serial(`PostgreSQL ${version}, ${format}: what was dropped comes back as it was`, async t => {
		const labels = {'holdfast.postgres': JSON.stringify(['app', hostile]), 'holdfast.postgres.format': format};
		const client = {image: await ensureImage('holdfast-test/app:latest'), command: ['sleep', 'infinity'], depends_on: ['db'], init: true};
		const stack = await startStack(t, {services: {db: await postgres(version, labels), client}});
		await until('the database answers', () => stack.exec('db', 'psql', '-h', '127.0.0.1', '-U', 'postgres', '-XAtqc', 'select 1', 'app'));
		const psql = (database: string, sql: string) =>
			stack.exec(
				'db',
				'psql',
				'-XAtq',
				'-v',
				'ON_ERROR_STOP=1',
				'-U',
				'postgres',
				'-d',
				`dbname='${database.replaceAll(/[\\']/g, '\\$&')}'`,
				'-c',
				sql,
			);
		const quoted = `"${hostile.replaceAll('"', '""')}"`;
		await psql('app', content);
		await psql('postgres', `create database ${quoted} owner keeper`);
		await psql(hostile, 'create table t as select 42 as answer');
		for (const name of ['app', quoted]) {
			await psql('postgres', properties(name));
		}

		const before = await psql('app', fingerprint);
		const rowsBefore = await psql('app', 'select sum(hashtext(t::text)::bigint) from entries t');
		const [backup] = await stack.backup(`${stack.project}/db`);
		t.is(backup?.outcome, 'success', backup?.error);
		const started = await docker(['inspect', '--format', '{{.State.StartedAt}}', stack.container('client')]);

		await psql('app', 'drop table entries cascade; insert into "we""ird; table" values (2); select lo_unlink(4711)');
		const first = await stack.restore(`${stack.project}/db`);
		t.is(first.outcome, 'success', first.error);
		t.is(await psql('app', fingerprint), before);
		t.is(await psql('app', 'select sum(hashtext(t::text)::bigint) from entries t'), rowsBefore);
		t.is(await psql(hostile, 'select answer from t'), '42');
		t.is(first.replaced.length, 2);
		t.is(await stack.state('client'), 'running');
		t.not(await docker(['inspect', '--format', '{{.State.StartedAt}}', stack.container('client')]), started);
		t.is(await psql('postgres', "select count(*) from pg_database where datname like '%_restore_%'"), '0');
		t.is(await psql('postgres', "select count(*) from pg_database where datname like '%_before_%' and not datallowconn"), '2');

		await psql('postgres', `drop database app; drop database ${quoted}`.split(';')[0] ?? '');
		await psql('postgres', `drop database ${quoted}`);
		await psql(
			'postgres',
			`drop database "${await psql('postgres', "select datname from pg_database where datname like 'app_before_%'")}"`,
		);
		for (const left of (await psql('postgres', "select quote_ident(datname) from pg_database where datname like '%_before_%'"))
			.split('\n')
			.filter(Boolean)) {
			await psql('postgres', `drop database ${left}`);
		}

		await psql('postgres', 'drop role "Odd ""Role"""; drop role keeper; drop role reader');
		const second = await stack.restore(`${stack.project}/db`);
		t.is(second.outcome, 'success', second.error);
		t.is(await psql('app', fingerprint), before);
		t.is(await psql(hostile, 'select answer from t'), '42');
		t.deepEqual(second.replaced, []);
		t.is(
			await psql('postgres', "select count(*) from pg_authid where rolname = 'keeper' and rolpassword is not null and rolcanlogin"),
			'1',
		);
	});
}
