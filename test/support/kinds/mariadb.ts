/** A MariaDB server with one of each thing that a dump must carry, and the plain client to compare it by. */
import {ensureImage} from '../images.ts';
import type {Stack} from '../stack.ts';
import {until} from '../until.ts';
import type {KindCase} from './suite.ts';

/** Bites in option files, in shells and in SQL. */
const rootPassword = `s"e c#r'et\\d; $(x)`;

/** Names that break quoting of every kind. */
const hostile = `we\`ird; "d' $(x)`;

const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

/** As a person would ask, without Holdfast. */
const ask = async ({docker, container}: Pick<Stack, 'docker' | 'container'>, sql: string, service = 'app'): Promise<string> =>
	docker([
		'exec',
		'--env',
		`MYSQL_PWD=${rootPassword}`,
		container(service),
		'mariadb',
		'-uroot',
		'-N',
		'-B',
		'--default-character-set=utf8mb4',
		'-e',
		sql,
	]);

const routines = `
create trigger loud after insert on parent for each row begin insert into log values (concat('new; ', new.name)); end;;
create definer = keeper@localhost function f(a int) returns int deterministic sql security invoker return a + 1;;
create procedure p(out n int) comment 'it''s "odd"' begin select count(*) into n from parent; end;;
create event ev on schedule every 1 day starts '2030-01-02 03:04:05' on completion preserve disable comment 'nightly' do insert into log values ('ev');;`;

const content = `
create database app character set utf8mb4 collate utf8mb4_unicode_ci; create database ${quoted(hostile)};
create user keeper@localhost identified by 'hush'; grant select, trigger, execute on app.* to keeper@localhost;
use app;
create table parent (id int auto_increment primary key, name varchar(50) character set latin1 collate latin1_german1_ci default 'é', at timestamp(3) null default current_timestamp(3), unique (name));
create table child (id int primary key, parent_id int, constraint kept foreign key (parent_id) references parent (id) on delete cascade,
	twice int generated always as (id * 2) stored, thrice int as (id * 3) virtual, raw varbinary(300), bits bit(9), j json, mood enum ('fine', 'it''s bad'), g point, check (id > 0));
insert into parent (name, at) values ('é', '2026-03-29 02:30:00.123'), ('x', null); set session sql_mode = concat(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO'); insert into parent (id, name) values (0, 'zero');
insert into child (id, parent_id, raw, bits, j, mood, g) values (1, 1, x'00ff0a0d275c22', b'101010101', '{"a": "\\\\n€😀"}', 'it''s bad', point(1, 2)), (2, 2, null, null, null, null, null);
create table big (n int primary key, payload text) engine = InnoDB; insert into big select seq, md5(seq) from seq_1_to_20000;
create table my (a int) engine = MyISAM; insert into my values (1);
create table ${quoted(hostile)} (${quoted('col`umn; "')} text); insert into ${quoted(hostile)} values ('tab\\t, nl\\n, cr\\r, nul\\0, € 😀');
create table hist (a int) with system versioning; insert into hist values (1); update hist set a = 2;
create table parts (id int, at date) partition by range (id) (partition low values less than (10), partition high values less than maxvalue); insert into parts values (1, '2026-01-01'), (11, '2026-01-02');
create table log (t text); create sequence seq start with 100 increment 7 nocache; select nextval(seq);
create table word (word text);
delimiter ;;
${routines}
delimiter ;
create sql security invoker view v as select id, f(id) as g from child where id < 5 with check option; create view w as select * from v; create view ${quoted(`odd${hostile}`)} as select 1 as one;
use ${quoted(hostile)}; create table t (a int); insert into t values (42);`;

/** Every row, and every definition as the server says it. */
const everything = async (stack: Stack): Promise<string> => {
	const listed = await ask(
		stack,
		"select table_name from information_schema.tables where table_schema = 'app' and table_type in ('BASE TABLE', 'SYSTEM VERSIONED') order by 1",
	);
	const tables = listed.split('\n').flatMap(table => {
		// The client escapes a backslash in what it prints.
		const name = `app.${quoted(table.replaceAll('\\\\', '\\'))}`;
		return [`show create table ${name}`, ...(table === 'big' ? [] : [`select * from ${name}`]), `checksum table ${name} extended`];
	});

	const shown = [
		...tables,
		...[
			'show create function app.f',
			'show create procedure app.p',
			'show create trigger app.loud',
			'show create event app.ev',
			'show create database app',
		],
		...['v', 'w', `odd${hostile}`].map(view => `show create view app.${quoted(view)}; select * from app.${quoted(view)}`),
		'select a, row_end > now(6) from app.hist for system_time all order by a',
		'show create sequence app.seq; select next_not_cached_value from app.seq',
		`select * from ${quoted(hostile)}.t; show create database ${quoted(hostile)}`,
		"select table_schema, table_name, table_type, engine, auto_increment, table_collation from information_schema.tables where table_schema not in ('mysql', 'sys', 'performance_schema', 'information_schema') and table_schema not like '%\\_before\\_%' order by 1, 2",
		'show grants for keeper@localhost',
		"select constraint_name, table_name, referenced_table_name, unique_constraint_schema, delete_rule from information_schema.referential_constraints where constraint_schema = 'app' order by 1, 2",
	];
	const said = await ask(stack, shown.join('; '));
	// When a row of a system-versioned table was made is no property of it that is compared here.
	return said.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d\d(?=\n|$)/g, 'made');
};

export const mariadbCase = (version: '10.11' | '11.8'): KindCase => ({
	kind: `mariadb ${version}`,
	volumes: ['data'],
	services: async () => ({
		app: {
			image: await ensureImage(`mariadb:${version}`),
			// Compose reads a dollar sign as a variable.
			environment: {MARIADB_ROOT_PASSWORD: rootPassword.replaceAll('$', '$$$$')},
			command: ['mariadbd', '--event-scheduler=ON'],
			volumes: ['data:/var/lib/mysql'],
			labels: {'holdfast.enable': 'true', 'holdfast.mariadb': 'true'},
		},
	}),
	async begin(stack) {
		await until(
			'the server answers',
			async () =>
				stack.exec(
					'app',
					'sh',
					'-c',
					'test -e /var/lib/mysql/.initialised && mariadb-admin ping --host=127.0.0.1 2>&1 | grep -q -e alive -e denied && echo yes',
				),
			{timeout: 120_000},
		);
		await ask(stack, content);
	},
	write: async (stack, word) =>
		ask(
			stack,
			`delete from app.word; insert into app.word values ('${word}'); insert into app.parent (name) values ('${word}'); delete from app.big where n > 100 and '${word}' = 'second'`,
		),
	read: everything,
	async spoil(stack) {
		await ask(stack, 'create table app.gone (a int) engine = InnoDB; alter table app.gone discard tablespace');
		return async () => ask(stack, 'drop table app.gone');
	},
	kept: async stack =>
		ask(
			stack,
			"select schema_name from information_schema.schemata where schema_name like '%\\_before\\_%' or schema_name like '%\\_restore\\_%'",
		),
});
