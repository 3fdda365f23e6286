/** MariaDB's tables that a dump, a rehearsal or a rename would not do justice to: encrypted ones, numbers of more digits than are written, merged ones. Lane: works. */
import test from 'ava';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const keys = [1, 2, 20].map(id => `${id};${String(id).padStart(64, '0')}`).join('\n');

const content = `use shop;
create table secret (a int) engine=InnoDB encrypted=yes encryption_key_id=20; insert into secret values (1);
create table numbers (id int primary key, rounded float, fixed float(10,6), whole float, big double, twice float as (rounded * 2)) engine=InnoDB;
insert into numbers (id, rounded, fixed, whole, big) values (1, 16777217, 122.083847, 0.25, 16777217), (2, 0.1234567, -0.000001, 1e30, 0.1234567);
create table one (a int) engine=MyISAM; create table two (a int) engine=MyISAM; insert into one values (1); insert into two values (2);
create table both_of_them (a int) engine=MERGE union=(one, two) insert_method=last;
create table elsewhere.there (a int) engine=MyISAM; insert into elsewhere.there values (3); create table of_others (a int) engine=MERGE union=(one, elsewhere.there);`;

const read = `select * from shop.secret; select a from shop.both_of_them order by a; select a from shop.of_others order by a;
	select count(*) from information_schema.innodb_tablespaces_encryption where name = 'shop/secret' and current_key_id = 20`;

test('backed up with what is rounded said, restored, undone and rehearsed', async t => {
	t.timeout(10 * 60_000);
	const image = await ensureImage('mariadb:11.8');
	const labels = {'holdfast.enable': 'true', 'holdfast.mariadb': 'shop'};
	const environment = {MARIADB_ROOT_PASSWORD: 'secret', MARIADB_DATABASE: 'shop'};
	const stack = await startStack(t, {
		services: {
			db: {
				image,
				entrypoint: [
					'sh',
					'-c',
					`printf '%s\\n' "$$KEYS" >/run/keys && chown mysql /run/keys && exec docker-entrypoint.sh mariadbd --plugin-load-add=file_key_management --file-key-management-filename=/run/keys`,
				],
				environment: {...environment, KEYS: keys},
				labels,
			},
		},
	});
	const target = `${stack.project}/db`;
	const sql = async (text: string) =>
		docker(['exec', '--env', 'MYSQL_PWD=secret', stack.container('db'), 'mariadb', '-uroot', '-NBe', text]);
	await until('the server answers', async () => sql("select 1 from mysql.user where user = 'root' and host = '%'"), {timeout: 120_000});
	await sql(`create database elsewhere; ${content}`);
	const first = await sql(read);

	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	const warned = (backup?.warnings ?? []).join('\n');
	t.regex(warned, /values of `numbers.rounded` are in its points with six digits only.*make it a `double`/);
	t.notRegex(warned, /`numbers\.(?:fixed|whole|big|twice)`/);

	const drilled = await stack.holdfast('drill', target);
	t.is(drilled.exitCode, 0, drilled.stdout + drilled.stderr);
	t.regex(drilled.stdout, /1 encrypted table, with keys of the rehearsal's own/);

	await sql('use shop; insert into both_of_them values (4); update secret set a = 5');
	const second = await sql(read);
	const restored = await stack.restore(target);
	t.is(restored.outcome, 'success', restored.error);
	t.is(await sql(read), first);
	await sql('insert into shop.both_of_them values (6)');
	t.is((await stack.holdfast('restore', 'undo', restored.run)).exitCode, 0);
	t.is(await sql(read), second);

	const beside = await stack.holdfast('restore', target, '--into', 'copy', '--yes');
	t.is(beside.exitCode, 0, beside.stderr);
	t.is(await sql('select a from copy.both_of_them order by a'), '1\n2');
	await sql('insert into copy.both_of_them values (7)');
	t.is(await sql(read), second);
});
