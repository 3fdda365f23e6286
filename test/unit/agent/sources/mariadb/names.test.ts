/** What a dump says of its own database by name, where it is loaded under another one. */
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {blankNames, nameSequences} from '../../../../../agent/sources/mariadb/names.ts';
import {here} from '../../../../../base/here.ts';

const name = 'sh`o.p\\E:x';
const quoted = '`sh``o.p\\E:x`';

const dump = (own: string) => `CREATE TABLE \`t\` (
  \`id\` int(11) NOT NULL DEFAULT nextval(${own === '' ? `${' '.repeat(quoted.length)} ` : `${own}.`}\`s\`),
  \`a\`\`b\` bigint(20) DEFAULT (nextval(${own === '' ? `${' '.repeat(quoted.length)} ` : `${own}.`}\`s\`) + lastval(${own === '' ? `${' '.repeat(quoted.length)} ` : `${own}.`}\`s\`)),
  \`other\` int(11) DEFAULT nextval(\`elsewhere\`.\`s\`)
);
INSERT INTO \`t\` VALUES
(1,'ALTER DATABASE ${quoted} CHARACTER SET latin1'),
(2,'\xff  \`id\` nextval(${quoted}.\`s\`)');
ALTER DATABASE ${own === '' ? ' '.repeat(quoted.length) : own} CHARACTER SET latin1 COLLATE latin1_swedish_ci ;
`;

test('names of the own database become blanks where they mean it, and nothing else changes', async t => {
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-names-'));
	const file = join(folder, 'dump.sql');
	try {
		await writeFile(file, dump(quoted), 'latin1');
		await blankNames(here, file, name, new AbortController().signal);
		t.is(await readFile(file, 'latin1'), dump(''));
		await t.throwsAsync(blankNames(here, join(folder, 'none'), name, new AbortController().signal));
	} finally {
		await rm(folder, {recursive: true, force: true});
	}
});

test('columns begin with the sequences that took their place with them', async t => {
	const asked: string[] = [];
	const query = async (sql: string) => {
		asked.push(sql);
		return sql.startsWith('select') ? [['t', 'id', '(nextval(`shop_restore`.`s`) + 1)']] : [];
	};
	await nameSequences({query, flavour: 'mariadb'}, 'shop_restore', 'shop');
	t.regex(asked[1] ?? '', /alter table `shop`.`t` alter column `id` set default \(\(nextval\(`shop`.`s`\) \+ 1\)\)$/);
	await nameSequences({query, flavour: 'mariadb'}, 'shop', 'shop');
	t.is(asked.length, 2);
});
