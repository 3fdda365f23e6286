/** MariaDB servers as people set them up, and one that is no container of the target: everything comes back, row by row. Lane: works. */
import {writeFile} from 'node:fs/promises';
import test from 'ava';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {idle, startWithSecrets} from '../../support/stack/far-server.ts';
import type {Stack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const password = `r'o"o\\t #x`;

/** What would end sessions, change what SQL means, take back what was done, or refuse what was taken once. */
const harsh = [
	'mariadbd',
	'--sql-mode=ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES',
	'--max-allowed-packet=1M',
	'--wait-timeout=5',
	'--idle-transaction-timeout=3',
	'--max-statement-time=2',
	'--lock-wait-timeout=1',
	'--innodb-lock-wait-timeout=1',
	'--net-write-timeout=2',
	'--net-read-timeout=2',
	'--autocommit=0',
	'--completion-type=CHAIN',
	'--transaction-isolation=SERIALIZABLE',
	'--sql-safe-updates=1',
	'--skip-networking',
	'--default-storage-engine=Aria',
	'--character-set-server=utf8mb3',
	'--log-bin',
];

const content = `set autocommit = 1; drop database if exists shop; create database shop; use shop; set sql_mode = '';
create table plain (id int primary key, e varchar(50) character set utf8mb4, v int as (id + 1) virtual, hidden int invisible default 7) engine=InnoDB;
insert into plain (id, e) values (1, 'it''s 😀'), (2, null);
create sequence numbers start with 100; create table numbered (id int default (nextval(numbers)), t text) engine=InnoDB; insert into numbered (t) values ('a'), ('b');
create table long_ones (id int primary key, b longblob) engine=InnoDB;
create table later (a int) engine=InnoDB; insert into later values (-1); set check_constraint_checks = 0; alter table later add constraint positive check (a > 0); set check_constraint_checks = 1;
create view shown as select id, e from plain; create view on_shown as select * from shown where id > 1;
create definer = 'gone'@'nowhere' view of_nobody as select id from plain;
create table lost (a int) engine=InnoDB; create view of_nothing as select a from lost; drop table lost;
create role clerk; grant select on shop.* to clerk; create user teller@'%' identified by 'x'; grant clerk to teller@'%'; grant insert on shop.plain to teller@'%';`;

/** No server makes a view of what is not there. */
const forgetting = 'set autocommit = 1; drop view shop.of_nothing';

const ask = async (stack: Stack, service: string, sql: string): Promise<string> =>
	docker([
		'exec',
		'--env',
		`MYSQL_PWD=${password}`,
		stack.container(service),
		'mariadb',
		'-uroot',
		'-NB',
		'--default-character-set=utf8mb4',
		'-e',
		sql,
	]);

const answers = async (stack: Stack, service: string): Promise<unknown> =>
	until('the server answers', async () => ask(stack, service, "select 1 from mysql.user where user = 'root' and host = '%'"), {
		timeout: 120_000,
	});

/** What is long is said by its length. */
const dump = `(mariadb-dump --no-defaults --socket=/run/mysqld/mysqld.sock -uroot --force --skip-lock-tables --max-allowed-packet=1G --skip-dump-date --hex-blob --routines --events --databases shop 2>&1 || true) | perl -pe 's/((?:00FF5C27)+)/length($1)/ge'`;

/** By a plain client, that says of each broken view what is wrong with it. */
const everything = async (stack: Stack, service: string): Promise<string> =>
	docker(['exec', '--env', `MYSQL_PWD=${password}`, stack.container(service), 'sh', '-c', dump]);

test.serial('a server with the settings that end, hide and refuse: backed up, restored, undone and rehearsed', async t => {
	t.timeout(12 * 60_000);
	const {stack} = await startWithSecrets(t, {
		db: {
			image: await ensureImage('mariadb:11.8'),
			command: harsh,
			environment: {MARIADB_ROOT_PASSWORD: password},
			labels: {'holdfast.enable': 'true', 'holdfast.mariadb': 'true'},
		},
	});
	const target = `${stack.project}/db`;
	const sql = async (text: string) => ask(stack, 'db', text);
	await answers(stack, 'db');
	await sql(content);
	await sql('set global max_allowed_packet = 1073741824');
	await sql("insert into shop.long_ones values (1, repeat(unhex('00ff5c27'), 800000)); commit");
	await sql('set global max_allowed_packet = 1048576');
	await sql('set global sql_select_limit = 2');
	const [cut] = await stack.backup(target);
	t.is(cut?.outcome, 'failed');
	t.regex(cut?.error ?? JSON.stringify(cut?.sources), /sql_select_limit/);
	await sql('set global sql_select_limit = default');

	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	t.regex((backup?.warnings ?? []).join(), /`of_nobody` cannot be read.*`of_nothing` cannot be read/);
	await sql(forgetting);
	const first = await everything(stack, 'db');
	await sql(
		'set autocommit = 1; use shop; drop view of_nobody, on_shown, shown; drop table long_ones; delete from plain where id = 2; drop role clerk; drop user teller',
	);
	const second = await everything(stack, 'db');

	const restored = await stack.restore(target);
	t.is(restored.outcome, 'success', restored.error);
	t.is(await everything(stack, 'db'), first);
	t.is(await sql('select @@global.max_allowed_packet'), '1048576');
	t.regex(await sql('show grants for teller'), /clerk.*INSERT ON "shop"."plain"/s);
	t.is((await stack.holdfast('restore', 'undo', restored.run)).exitCode, 0);
	t.is(await everything(stack, 'db'), second);

	const drilled = await stack.holdfast('drill', target);
	t.is(drilled.exitCode, 0, drilled.stdout + drilled.stderr);
});

test.serial('servers elsewhere, with and without encryption: backed up, restored, undone and rehearsed', async t => {
	t.timeout(12 * 60_000);
	const labels = (host: string, more: Record<string, string>) => ({
		'holdfast.enable': 'true',
		'holdfast.mariadb.host': host,
		'holdfast.mariadb.password-secret': 'database',
		...more,
	});
	const environment = {MARIADB_ROOT_PASSWORD: password, MARIADB_DATABASE: 'shop'};
	const [old, current] = [await ensureImage('mariadb:10.11'), await ensureImage('mariadb:11.8')];
	const {stack, secret} = await startWithSecrets(t, {
		plain: {image: old, environment},
		encrypted: {image: current, command: ['mariadbd', '--require-secure-transport=ON'], environment},
		app: await idle(labels('plain', {'holdfast.mariadb': 'true', 'holdfast.drill.image': old})),
		other: await idle(labels('encrypted', {'holdfast.mariadb': 'shop', 'holdfast.mariadb.port': '3306'})),
	});
	await writeFile(secret('database'), `${password}\n`, {mode: 0o600});
	for (const [app, service] of [
		['app', 'plain'],
		['other', 'encrypted'],
	] as const) {
		const target = `${stack.project}/${app}`;
		await answers(stack, service);
		await ask(stack, service, content);
		const plan = await stack.holdfast('plan', target);
		t.regex(plan.stdout, new RegExp(`mariadb:shop.*${service}:3306`), plan.stderr);
		const [backup] = await stack.backup(target);
		t.is(backup?.outcome, 'success', backup?.error);
		await ask(stack, service, forgetting);
		const first = await everything(stack, service);
		await ask(stack, service, 'set autocommit = 1; use shop; drop view of_nobody; drop table numbered; delete from plain');
		const second = await everything(stack, service);
		const restored = await stack.restore(target);
		t.is(restored.outcome, 'success', restored.error);
		t.is(await everything(stack, service), first);
		t.is((await stack.holdfast('restore', 'undo', restored.run)).exitCode, 0);
		t.is(await everything(stack, service), second);
		t.is(await ask(stack, service, "select count(*) from information_schema.schemata where schema_name regexp '_(restore|before)_'"), '0');
	}

	const drilled = await stack.holdfast('drill', `${stack.project}/app`);
	t.is(drilled.exitCode, 0, drilled.stdout + drilled.stderr);
	t.false((await docker(['logs', stack.container('holdfast')])).includes(password));
});

/** As tools for drawing tables write it, with the name of the database; what one database reads of another; what is over some day; and what no server made. */
const entangled = `set autocommit = 1; set time_zone = 'Europe/Berlin';
create database b; create database a; create table b.there (n int) engine=InnoDB; insert into b.there values (1); create function b.f(n int) returns int deterministic return n + 1;
create table a.orders (n int) engine=InnoDB; create table a.log (n int) engine=InnoDB;
create trigger \`a\`.\`orders_bi\` before insert on \`a\`.\`orders\` for each row insert into a.log values (new.n); insert into a.orders values (1);
create view a.reads as select n from b.there; create view a.calls as select b.f(n) as n from a.orders; create view a.on_reads as select * from a.reads;
create event a.once on schedule at now() + interval 70 second do insert into a.log values (99);
create event a.nightly on schedule every 1 day starts '2030-01-02 03:04:05' do insert into a.log values (100);
create database h; create table h.precise (n int, s bigint unsigned generated always as row start, e bigint unsigned generated always as row end, period for system_time (s, e)) with system versioning engine=InnoDB;
insert into h.precise (n) values (1); update h.precise set n = 2;`;

const asIs = [
	'select n from a.orders; select n from a.log where n < 99; select n from a.reads; select n from a.calls; select n from a.on_reads; select n from h.precise',
	"select event_name from information_schema.events where event_schema = 'a' and event_name <> 'once'",
	"select trigger_schema, event_object_schema, event_object_table from information_schema.triggers where trigger_name = 'orders_bi' and trigger_schema not like '%\\_before\\_%'",
].join('; ');

test.serial(
	'databases that read one another, triggers that name theirs, and events whose time is over: restored where nothing is left, undone and rehearsed',
	async t => {
		t.timeout(12 * 60_000);
		const {stack} = await startWithSecrets(t, {
			db: {
				image: await ensureImage('mariadb:11.8'),
				command: ['mariadbd', '--event-scheduler=ON', '--log-bin'],
				environment: {MARIADB_ROOT_PASSWORD: password},
				labels: {'holdfast.enable': 'true', 'holdfast.mariadb': 'true'},
			},
		});
		const target = `${stack.project}/db`;
		const sql = async (text: string) => ask(stack, 'db', text);
		await answers(stack, 'db');
		await stack.exec('db', 'sh', '-c', 'mkdir /var/lib/mysql/@eaDir /var/lib/mysql/.snapshot /var/lib/mysql/lost+found');
		const zone = `insert into mysql.time_zone values (1, 'N'); insert into mysql.time_zone_name values ('Europe/Berlin', 1); insert into mysql.time_zone_transition_type values (1, 0, 3600, 0, 'CET')`;
		await sql(zone);
		await sql(entangled);
		const first = await sql(asIs);

		const [backup] = await stack.backup(target);
		t.is(backup?.outcome, 'success', backup?.error);
		t.deepEqual(
			backup?.sources.map(({source}) => source),
			['mariadb:a', 'mariadb:b', 'mariadb:h'],
		);
		t.regex((backup?.warnings ?? []).join(), /`precise` has a history by transactions/);

		await until('the event that runs once has run', async () => sql('select 1 from a.log where n = 99'), {timeout: 120_000});
		await sql('drop trigger a.orders_bi; insert into a.orders values (2)');
		const beside = await stack.holdfast('restore', target, '--only', 'mariadb:a', '--into', 'copy', '--yes');
		t.is(beside.exitCode, 0, beside.stderr);
		t.is(
			await sql("select trigger_schema, event_object_schema from information_schema.triggers where trigger_name = 'orders_bi'"),
			'copy\tcopy',
		);

		await sql('drop database copy; drop database a; drop database b; drop database h');
		const restored = await stack.restore(target);
		t.is(restored.outcome, 'success', restored.error);
		t.is(await sql(asIs), first);
		t.is((await stack.holdfast('restore', 'finish', restored.run)).exitCode, 0);
		t.is(await sql(asIs), first);

		await sql('drop view a.reads; delete from a.orders');
		const again = await stack.restore(target);
		t.is(again.outcome, 'success', again.error);
		t.is(await sql(asIs), first);
		t.is((await stack.holdfast('restore', 'undo', again.run)).exitCode, 0);
		t.is(
			await sql(
				"select count(*) from a.orders; select n from a.calls; select trigger_schema from information_schema.triggers where trigger_name = 'orders_bi'",
			),
			'0\na',
		);

		const drilled = await stack.holdfast('drill', target);
		t.is(drilled.exitCode, 0, drilled.stdout + drilled.stderr);
		t.regex(drilled.stdout, /not rehearsed, because they read other databases: the views "calls", "on_reads", "reads"/);
	},
);
