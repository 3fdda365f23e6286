/** Databases that cannot be loaded in the order in which they were dumped, or of which rows break rules: rehearsed, restored and undone. Lane: waits. */
import test from 'ava';
import type {BackupResult, DrillResult} from '../../../base/results.ts';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const kindOf = (name: string, path = '') =>
	`create function ${name}(int) returns boolean language sql stable as $$ select exists (select from ${path}z_kinds where id = $1) $$`;
const kinds = ['create table z_kinds (id int primary key)', 'insert into z_kinds values (1), (2)'];

/** What each holds. The tables that checks look at come behind those that are checked, in a dump. */
const databases: Record<string, readonly string[]> = {
	checks: [
		...kinds,
		kindOf('is_kind', 'public.'),
		'create domain kind as int constraint known check (is_kind(value))',
		'create table a_parent (k int constraint has_kind check (is_kind(k)), d kind) partition by range (k)',
		"comment on constraint has_kind on a_parent is 'it''s so'",
		'create table a_child partition of a_parent for values from (0) to (9)',
		'insert into a_parent values (1, 2), (2, 1)',
		'create table a_broken (k int constraint once_true check (is_kind(k)))',
		'insert into z_kinds values (3)',
		'insert into a_broken values (3)',
		'delete from z_kinds where id = 3',
	],
	paths: [...kinds, kindOf('is_kind'), 'create table a_uses (k int check (is_kind(k)))', 'insert into a_uses values (1)'],
	keys: [
		'create table parents (id int primary key)',
		'create table children (parent int constraint has_parent references parents on delete cascade)',
		'insert into parents values (1)',
		"set session_replication_role = 'replica'",
		'insert into children values (1), (7)',
	],
	views: [
		'create extension postgres_fdw',
		"create server far foreign data wrapper postgres_fdw options (host 'db', dbname 'postgres')",
		"create user mapping for postgres server far options (user 'postgres', password 'secret')",
		"create foreign table roles (rolname text) server far options (schema_name 'pg_catalog', table_name 'pg_roles')",
		'create materialized view known as select count(*) from roles',
		'create materialized view z_numbers as select generate_series(1, 9) n',
		'create function numbers() returns setof int language sql stable as $$ select n from public.z_numbers $$',
		'create materialized view a_sums as select sum(n) from numbers() n',
	],
};

test('checks that look at other rows, foreign keys that are not kept, materialized views that need another, a template, a role of another encoding', async t => {
	t.timeout(15 * 60_000);
	const stack = await startStack(t, {
		services: {
			db: {
				image: await ensureImage('postgres:17'),
				environment: {POSTGRES_PASSWORD: 'secret'},
				labels: {'holdfast.enable': 'true', 'holdfast.postgres': `${Object.keys(databases).join(',')},mould,latin`},
			},
		},
	});
	const target = `${stack.project}/db`;
	const psql = async (database: string, ...statements: string[]) =>
		stack.exec(
			'db',
			...['psql', '-h', '127.0.0.1', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', database],
			...statements.flatMap(statement => ['-c', statement]),
		);
	await until('the database answers', async () => psql('postgres', 'select 1'), {timeout: 60_000});
	await psql(
		'postgres',
		'create role "größe"',
		"create database latin encoding 'LATIN1' locale 'C' template template0 owner \"größe\"",
		'create database mould is_template true',
	);
	for (const [name, statements] of Object.entries(databases)) {
		await psql('postgres', `create database ${name}`);
		await psql(name, ...statements);
	}

	await psql('mould', 'create table marks as select 1 as mark');
	await psql(
		'latin',
		"set client_encoding = utf8; comment on database latin is 'größe'",
		'set client_encoding = latin1',
		'create table marks (mark text)',
		`alter table marks owner to "größe"`,
	);
	/** By a plain pg_dump: definitions and rows. A rule that rows break is dumped as one for new rows only. */
	const everything = async (name: string) =>
		(await stack.exec('db', 'pg_dump', '-U', 'postgres', '-d', name))
			.split('\n')
			.filter(line => !/^(?:--|SET |\\|$)/.test(line))
			.sort()
			.join('\n');
	const names = [...Object.keys(databases), 'mould', 'latin'];
	const all = async () => Object.fromEntries(await Promise.all(names.map(async name => [name, await everything(name)] as const)));
	const properties = async () => [
		await psql(
			'latin',
			'set client_encoding = utf8',
			"select shobj_description(oid, 'pg_database') from pg_database where datname = 'latin'",
		),
		await psql(
			'postgres',
			"select datname, datistemplate, pg_get_userbyid(datdba) from pg_database where datname !~ '_before_' order by 1",
		),
	];
	const before = await all();
	const propertiesBefore = await properties();

	const [backup] = (await stack.backup(target)) as [BackupResult];
	t.is(backup.outcome, 'success', backup.error);
	const drilled = await stack.holdfast('drill', target, '--json');
	t.is((JSON.parse(drilled.stdout) as DrillResult).outcome, 'success', drilled.stdout);
	t.regex(
		drilled.stderr,
		/`postgres:views`: an error was tolerated: a materialized view has no content, .*could not connect to server.*REFRESH MATERIALIZED VIEW public\.known/,
	);

	const restored = await stack.holdfast('restore', target, '--yes', '--json');
	t.is(restored.exitCode, 0, restored.stderr);
	t.regex(restored.stderr, /`postgres:checks` has checks that may look at other rows/);
	t.regex(restored.stderr, /the check once_true of the table public\.a_broken does not hold for all of its rows/);
	t.regex(restored.stderr, /`postgres:keys`: an error was tolerated: a foreign key is made for new rows only/);
	t.notRegex(restored.stderr, /has no content/);
	const {checks = '', keys = '', ...rest} = await all();
	const {checks: checksBefore = '', keys: keysBefore = '', ...restBefore} = before;
	t.deepEqual(rest, restBefore);
	const kept = (dump: string) =>
		dump
			.split('\n')
			.filter(line => !/once_true|TABLE public\.a_broken/.test(line))
			.map(line => line.replace(/,$/, ''));
	t.deepEqual(kept(checks), kept(checksBefore));
	t.is(keys.replace(' NOT VALID', ''), keysBefore);
	t.deepEqual(await properties(), propertiesBefore);
	t.is(await psql('views', 'select sum from a_sums'), '45');
	await t.throwsAsync(psql('checks', 'insert into a_parent values (5, 1)'), {message: /has_kind/});

	const {run} = JSON.parse(restored.stdout) as {run: string};
	const undone = await stack.holdfast('restore', 'undo', run);
	t.is(undone.exitCode, 0, undone.stderr);
	t.deepEqual(await all(), before);
});
