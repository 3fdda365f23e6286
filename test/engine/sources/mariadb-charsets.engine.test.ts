/** Text of character sets that Unicode has no exact counterpart of: the same bytes after a restore, in old and new servers. Lane: works. */
import test from 'ava';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {startWithSecrets} from '../../support/stack/far-server.ts';
import {until} from '../../support/until.ts';

const charsets = ['sjis', 'cp932', 'ujis', 'eucjpms', 'big5', 'gbk', 'gb2312', 'euckr', 'greek', 'hebrew', 'swe7', 'armscii8', 'ascii'];

const database = (name: string) => `create database ${name} character set utf8mb4; use ${name}; set sql_mode = '';`;

/** Each character of two bytes, and of one, that such a column takes. */
const filled = (
	charset: string,
) => `create table of_${charset} (id int auto_increment primary key, v varchar(9) character set ${charset}) engine=InnoDB;
insert ignore into of_${charset} (v) select unhex(lpad(hex(seq), 2, '0')) from seq_0_to_255;
insert ignore into of_${charset} (v) select unhex(lpad(hex(seq), 4, '0')) from seq_33072_to_65278;`;

/** Definitions are text; a generated column, an enumeration, and what is no text at all. */
const around = `create table \`tïtle\` (\`spälte\` varchar(20) character set sjis default '日本' comment 'schön', l varchar(9) character set latin1 default 'é', mood enum('ア','表') character set cp932 default '表',
some set('ä','ü') character set latin1 default 'ä,ü', g varchar(40) character set sjis as (concat(\`spälte\`, '表')) virtual, b blob, u varchar(9) character set ucs2, j json, n decimal(9,2), d datetime, bits bit(9), p point) engine=InnoDB comment '日本';
insert into \`tïtle\` (b, u, j, n, d, bits, p) values (x'00ff5c27', '日', '{"a": "日\\\\n"}', 1.5, '2026-03-29 02:30:00', b'101010101', point(1, 2)); insert into \`tïtle\` values ();
create table parts (a varchar(10) character set cp932) engine=InnoDB partition by list columns (a) (partition p1 values in ('表'), partition p2 values in ('x')); insert into parts values ('表'), ('x');
create view v as select \`spälte\`, _utf8mb4'日é' as x from \`tïtle\`;`;

const mixed = `create table t (id uuid, address inet6, v varchar(9) character set sjis, w varchar(9) character set cp932) engine=InnoDB;
insert into t values ('bd225b57-eccd-11f1-bb7e-0242ac110002', '::1', x'5c', '表');`;

for (const version of ['10.11', '11.8']) {
	test.serial(`MariaDB ${version}`, async t => {
		t.timeout(12 * 60_000);
		const {stack} = await startWithSecrets(t, {
			db: {
				image: await ensureImage(`mariadb:${version}`),
				environment: {MARIADB_ROOT_PASSWORD: 'x'},
				labels: {'holdfast.enable': 'true', 'holdfast.mariadb': 'true'},
			},
		});
		const target = `${stack.project}/db`;
		const sql = async (text: string) =>
			docker(['exec', stack.container('db'), 'mariadb', '-uroot', '-px', '-NB', '--default-character-set=utf8mb4', '-e', text]);
		await until('the server answers', async () => sql("select 1 from mysql.user where user = 'root' and host = '%'"), {timeout: 120_000});
		await sql(`${database('old')} ${charsets.map(filled).join(' ')} ${around}`);
		await sql(`${database('mixed')} ${mixed}`);

		const bytes = async () => {
			const listed = await sql(
				"select table_name, group_concat(concat('coalesce(hex(`', column_name, '`), \"-\")') order by ordinal_position) from information_schema.columns where table_schema = 'old' and table_name not in ('v') group by 1",
			);
			const each = listed.split('\n').map(line => {
				const [table = '', columns = ''] = line.split('\t');
				return `select '${table}', count(*), md5(group_concat(concat_ws(',', ${columns}) order by 1)) from old.\`${table}\`; show create table old.\`${table}\``;
			});
			return sql(
				`set group_concat_max_len = 100000000; ${each.join('; ')}; show create view old.v; select id, address, hex(w) from mixed.t`,
			);
		};
		const first = await bytes();
		for (const charset of charsets) {
			t.true(Number(await sql(`select count(*) from old.of_${charset}`)) > 100, charset);
		}

		const [backup] = await stack.backup(target);
		t.is(backup?.outcome, 'success', backup?.error);
		const warnings = (backup?.warnings ?? []).join('\n');
		t.regex(warnings, /`mariadb:mixed`: values of `t\.v` are not in its points as they are/);
		t.false(warnings.includes('`t.w`') || warnings.includes('mariadb:old'), warnings);

		await sql('drop database old; drop database mixed');
		const restored = await stack.restore(target);
		t.is(restored.outcome, 'success', restored.error);
		t.is(await bytes(), first);

		const drilled = await stack.holdfast('drill', target);
		t.is(drilled.exitCode, 0, drilled.stdout + drilled.stderr);
	});
}
