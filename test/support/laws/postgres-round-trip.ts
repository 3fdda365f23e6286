/** Dump, destroy, restore, compare: a real server with everything that a dump must carry, through the command line as a person uses it. */
import type {ExecutionContext} from 'ava';
import {docker} from '../docker.ts';
import {ensureImage} from '../images.ts';
import {psql as ask} from '../stack/psql.ts';
import {startStack} from '../stack.ts';
import {until} from '../until.ts';

const postgres = async (version: string, labels: Record<string, string>) => ({
	image: await ensureImage(`postgres:${version}`),
	environment: {POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'app'},
	healthcheck: {test: ['CMD', 'pg_isready', '-h', '127.0.0.1', '-U', 'postgres'], interval: '1s', retries: 60},
	labels: {'holdfast.enable': 'true', ...labels},
});

/** Names that break quoting of every kind. */
const hostile = `a"b'; $(x) host=evil`;

/** Everything that a dump must carry: rows, sequences, large objects, views, indexes, privileges, extensions, types, rules, odd names. */
const content = `
	create role reader; create role keeper login password 'hush'; create role "Odd ""Role""" in role reader;
	create table entries (n bigserial primary key, payload text not null);
	insert into entries (payload) select md5(i::text) from generate_series(1, 5000) i;
	create table "we""ird; table" (a int check (a > 0)); insert into "we""ird; table" values (1);
	create view newest as select * from entries order by n desc limit 1;
	grant select on entries to reader; alter table entries owner to keeper;
	select lo_from_bytea(4711, decode(repeat('deadbeef', 1000), 'hex'));
	alter large object 4711 owner to keeper; grant select on large object 4711 to reader; comment on large object 4711 is 'odd; "one"';
	select setval('entries_n_seq', 123456);
	create schema ext authorization keeper; create extension hstore schema ext; create extension pg_trgm; comment on extension pg_trgm is 'mine';
	create type mood as enum ('fine', 'it''s bad'); create domain positive as int check (value > 0);
	create table parts (id int generated always as identity (start 7 increment 3), at date not null, m mood, p positive, h ext.hstore,
		twice int generated always as (p * 2) stored) partition by range (at);
	create table parts_1 partition of parts for values from ('2026-01-01') to ('2027-01-01');
	insert into parts (at, m, p, h) values ('2026-02-03', 'it''s bad', 21, 'a=>1'); insert into parts (at, m, p) values ('2026-02-04', 'fine', 1);
	create materialized view sums as select sum(p) from parts; create index on entries using gin (payload gin_trgm_ops);
	create function shout() returns trigger language plpgsql security definer set search_path = public as $$ begin new.payload := upper(new.payload); return new; end $$;
	create trigger loud before insert on entries for each row execute function shout(); alter table entries disable trigger loud;
	alter table entries enable row level security; create policy mine on entries for select to reader using (n % 2 = 0);
	alter default privileges for role keeper in schema public grant select on tables to reader; revoke execute on function shout from public;
	comment on table entries is 'a ''quoted'' \\ comment'; create publication news for table entries;`;

/** One text that differs when anything does that a restore must bring back. */
const fingerprint = `
	select (select count(*) || md5(string_agg(n || payload, ',' order by n)) from entries),
		(select string_agg(a::text, ',') from "we""ird; table"), (select count(*) from newest), (select last_value from entries_n_seq),
		md5(lo_get(4711)), (select string_agg(relname || pg_get_userbyid(relowner) || coalesce(relacl::text, ''), ',' order by relname)
			from pg_class where relnamespace = 'public'::regnamespace),
		(select string_agg(indexdef, ',' order by indexdef) from pg_indexes where schemaname = 'public');
	select string_agg(format('%s %s %s %s', extname, extversion, extnamespace::regnamespace, obj_description(oid, 'pg_extension')), ',' order by extname) from pg_extension;
	select id, at, m, p, h, twice, tableoid::regclass from parts order by id; select * from sums; select last_value, is_called from parts_id_seq;
	select lomacl, lomowner::regrole, obj_description(oid, 'pg_largeobject') from pg_largeobject_metadata;
	select pg_get_functiondef('shout'::regproc), proacl, proowner::regrole from pg_proc where proname = 'shout';
	select tgenabled, pg_get_triggerdef(oid) from pg_trigger where tgname = 'loud'; select polname, polroles::regrole[], pg_get_expr(polqual, polrelid) from pg_policy;
	select defaclrole::regrole, defaclacl from pg_default_acl; select nspname, nspowner::regrole, nspacl from pg_namespace where nspname in ('ext', 'public') order by 1;
	select obj_description('entries'::regclass), relrowsecurity from pg_class where relname = 'entries'; select * from pg_publication_tables;
	select enum_range(null::mood), (select pg_get_constraintdef(oid) from pg_constraint where contypid = 'positive'::regtype and contype = 'c');
	select pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, datacl::text, datconnlimit,
		(select array_agg(setconfig::text || setrole::regrole order by setrole) from pg_db_role_setting where setdatabase = oid),
		shobj_description(oid, 'pg_database') from pg_database where datname = current_database()`;

const properties = (name: string) => `
	alter database ${name} set search_path to "$user", public, 'o''dd "schema'; alter database ${name} set work_mem to '7MB';
	alter role keeper in database ${name} set app.colour to 'it''s \\ red'; alter database ${name} connection limit 77;
	revoke connect on database ${name} from public; grant connect, temporary on database ${name} to reader with grant option;
	comment on database ${name} is 'kept; "for" ever'`;

/** What was dropped comes back as it was: first beside what is live, then where nothing is left, not even the roles. */
export async function postgresRoundTrip(t: ExecutionContext, version: string, format: 'custom' | 'plain'): Promise<void> {
	const labels = {'holdfast.postgres': JSON.stringify(['app', hostile]), 'holdfast.postgres.format': format};
	const client = {image: await ensureImage('holdfast-test/app:latest'), command: ['sleep', 'infinity'], depends_on: ['db'], init: true};
	const stack = await startStack(t, {services: {db: await postgres(version, labels), client}});
	await until('the database answers', () => stack.exec('db', 'psql', '-h', '127.0.0.1', '-U', 'postgres', '-XAtqc', 'select 1', 'app'));
	const psql = async (database: string, sql: string) => ask(stack, 'db', database, sql);
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
	await psql('postgres', `drop database "${await psql('postgres', "select datname from pg_database where datname like 'app_before_%'")}"`);
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
	t.is(await psql('postgres', "select count(*) from pg_authid where rolname = 'keeper' and rolpassword is not null and rolcanlogin"), '1');
}
