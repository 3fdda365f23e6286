/**
 * What a MariaDB dump says of its own database by name, and what a server takes no more: restored where nothing of it is left, beside the live one, over a
 * changed one with undo, and rehearsed. Lane: works.
 */
import test from 'ava';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

/** Routines of before the character set was changed, sequences as defaults, a view that reads the server's own tables, a function that says nothing of itself, grants to everybody. */
const content = `create database shop character set latin1; use shop;
create sequence numbers start with 100; create table orders (id int primary key default (nextval(numbers) + 1), t varchar(10)) engine=InnoDB with system versioning;
insert into orders (t) values ('a'), ('b');
set global log_bin_trust_function_creators = 1;
create function loose(n int) returns int return n + floor(rand()) + (select count(*) from orders);
create procedure p() select 'é';
set global log_bin_trust_function_creators = 0;
create trigger loud before insert on orders for each row set new.t = upper(new.t);
create event nightly on schedule every 1 day starts '2030-01-02 03:04:05' do delete from orders where id = 0;
set names latin1 collate latin1_german1_ci; create view tables_of_it as select o.id, i.table_name from orders o join information_schema.tables i on i.table_schema = 'shop' and i.table_name = 'orders';
set names utf8mb4; create view on_it as select id from tables_of_it;
alter database shop character set utf8mb4 collate utf8mb4_general_ci;
grant select on shop.* to public;
create table kept (a int) engine=archive; insert into kept values (1), (2);`;

const seen = (database = 'shop') =>
	[
		`select * from ${database}.orders order by id; select * from ${database}.on_it; select * from ${database}.tables_of_it; select * from ${database}.kept`,
		`select column_default from information_schema.columns where table_schema = '${database}' and column_name = 'id' and table_name = 'orders'`,
		`select routine_name, database_collation from information_schema.routines where routine_schema = '${database}' order by 1`,
		`select trigger_name, database_collation from information_schema.triggers where trigger_schema = '${database}'`,
		`select event_name, database_collation from information_schema.events where event_schema = '${database}'`,
		`select table_name, collation_connection from information_schema.views where table_schema = '${database}' order by 1`,
		`select default_collation_name from information_schema.schemata where schema_name = '${database}'`,
		`select table_name, engine from information_schema.tables where table_schema = '${database}' order by 1`,
	].join('; ');

test('restored where nothing is left of it, beside it, over a changed one, undone and rehearsed', async t => {
	t.timeout(15 * 60_000);
	const stack = await startStack(t, {
		services: {
			db: {
				image: await ensureImage('mariadb:11.8'),
				command: ['mariadbd', '--log-bin', '--plugin-load-add=ha_archive'],
				environment: {MARIADB_ROOT_PASSWORD: 'secret'},
				labels: {'holdfast.enable': 'true', 'holdfast.mariadb': 'true'},
			},
		},
	});
	const target = `${stack.project}/db`;
	const sql = async (text: string) =>
		docker(['exec', '--env', 'MYSQL_PWD=secret', stack.container('db'), 'mariadb', '-uroot', '-NBe', text]);
	await until('the server answers', async () => sql("select 1 from mysql.user where user = 'root' and host = '%'"), {timeout: 120_000});
	await sql(content);
	const first = await sql(seen());

	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	t.deepEqual(backup?.warnings ?? [], []);

	const drilled = await stack.holdfast('drill', target);
	t.is(drilled.exitCode, 0, drilled.stdout + drilled.stderr);
	t.regex(drilled.stdout, /made of another engine.*"ARCHIVE"/);
	t.notRegex(drilled.stdout, /not rehearsed/);

	const beside = await stack.holdfast('restore', target, '--into', 'copy', '--yes');
	t.is(beside.exitCode, 0, beside.stderr);
	t.is(await sql(seen('copy')), first.replaceAll('`shop`', '`copy`'));
	t.is(await sql(seen()), first);
	await sql('drop database copy');

	await sql(
		`drop database shop; revoke select on shop.* from public; delete from mysql.global_priv where user = 'PUBLIC'; flush privileges; uninstall soname 'ha_archive'`,
	);
	const refused = await stack.holdfast('restore', target, '--yes');
	t.not(refused.exitCode, 0);
	t.regex(refused.stderr, /tables of an engine .*"ARCHIVE"; install what has it/);
	await sql("install soname 'ha_archive'");

	const restored = await stack.restore(target);
	t.is(restored.outcome, 'success', restored.error);
	t.is(await sql(seen()), first);
	t.is(await sql('show grants for public'), 'GRANT SELECT ON `shop`.* TO PUBLIC');
	t.is(
		await sql(
			"insert into shop.orders (t) values ('c'); select t from shop.orders where t = 'C'; select @@global.log_bin_trust_function_creators",
		),
		'C\n0',
	);
	t.is((await stack.holdfast('restore', 'finish', restored.run)).exitCode, 0);

	await sql(
		'use shop; drop view on_it, tables_of_it; drop table orders; drop sequence numbers; drop procedure p; create table made_since (a int)',
	);
	const second = await sql(`show tables from shop; show create function shop.loose`);
	const again = await stack.restore(target);
	t.is(again.outcome, 'success', again.error);
	t.is(await sql(seen()), first);
	t.is((await stack.holdfast('restore', 'undo', again.run)).exitCode, 0);
	t.is(await sql(`show tables from shop; show create function shop.loose`), second);
});

test('a table that the server cannot open is said before anything is begun', async t => {
	t.timeout(10 * 60_000);
	const stack = await startStack(t, {
		services: {
			db: {
				image: await ensureImage('mariadb:11.8'),
				environment: {MARIADB_ROOT_PASSWORD: 'secret', MARIADB_DATABASE: 'shop'},
				labels: {'holdfast.enable': 'true', 'holdfast.mariadb': 'shop'},
			},
		},
	});
	const target = `${stack.project}/db`;
	const sql = async (text: string) =>
		docker(['exec', '--env', 'MYSQL_PWD=secret', stack.container('db'), 'mariadb', '-uroot', '-NBe', text]);
	await until('the server answers', async () => sql("select 1 from mysql.user where user = 'root' and host = '%'"), {timeout: 120_000});
	await sql('create table shop.crashed (a int primary key) engine=MyISAM; insert into shop.crashed values (1); flush tables');
	await stack.exec('db', 'sh', '-c', 'head -c 1024 /dev/zero >/var/lib/mysql/shop/crashed.MYI');
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'failed');
	const said = backup?.error ?? JSON.stringify(backup?.sources);
	t.regex(said, /cannot open tables of database .*shop.*crashed: Incorrect file format/);
	await sql('drop table shop.crashed');
	const [mended] = await stack.backup(target);
	t.is(mended?.outcome, 'success', mended?.error);
});
