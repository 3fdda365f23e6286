import {execFileSync} from 'node:child_process';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {encodingOf, tellUnicode} from '../../../../../agent/sources/mariadb/charsets.ts';

interface Has {
	columns?: string[][];
	saidAsText?: boolean;
	/** Of a look into a table, by a piece of what is asked. */
	looks?: Record<string, string[]>;
}

const server = ({columns = [], saidAsText = false, looks = {}}: Has) => ({
	async query(sql: string): Promise<string[][]> {
		if (sql.startsWith('select table_name')) {
			return columns;
		}

		if (sql.startsWith('select 1')) {
			return saidAsText ? [['1']] : [];
		}

		const [, row] = Object.entries(looks).find(([piece]) => sql.endsWith(piece)) ?? [];
		if (row === undefined) {
			throw new Error(`nobody must ask: ${sql}`);
		}

		return [row];
	},
});

const sjis = ['orders', 'note', 'sjis', '0'];
const ascii = ['orders', 'code', 'ascii', '0'];
const mood = ['orders', 'mood', 'cp932', '1'];

test('text of a character set that Unicode does not have all of is dumped as its bytes, unseen', async t => {
	t.deepEqual(await encodingOf(server({columns: [sjis]}), 'shop'), {asBytes: true, changed: []});
	t.deepEqual(await encodingOf(server({}), 'shop'), {asBytes: false, changed: []});
});

test('ASCII is text, but where somebody put other bytes there', async t => {
	const look = (row: string[]) => server({columns: [ascii], looks: {'from `shop`.`orders`': row}});
	t.deepEqual(await encodingOf(look(['0']), 'shop'), {asBytes: false, changed: []});
	t.deepEqual(await encodingOf(look(['1']), 'shop'), {asBytes: true, changed: []});
});

test('what can be dumped as text only, and changes, is named: enumerations, and all of a database whose types are said as text', async t => {
	const enumerated = server({columns: [sjis, mood], looks: {'from `shop`.`orders`': ['1']}});
	t.deepEqual(await encodingOf(enumerated, 'shop'), {asBytes: true, changed: ['orders.mood']});
	const textual = server({columns: [ascii, sjis], saidAsText: true, looks: {'from `shop`.`orders`': ['0', '1']}});
	t.deepEqual(await encodingOf(textual, 'shop'), {asBytes: false, changed: ['orders.note']});
});

test('a dump of bytes says that its text is Unicode, and is as long as before; one that says nothing is refused', async t => {
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-charsets-'));
	const file = join(folder, 'dump.sql');
	const tell = () => execFileSync('sh', ['-c', tellUnicode, 'sh', file]);
	try {
		const head = '-- MariaDB dump\n/*!40101 SET NAMES binary */;\ncreate table t (a text);\n';
		const values = "insert into t values (0x00),('SET NAMES binary */');\n";
		await writeFile(file, head + values);
		tell();
		t.is(await readFile(file, 'utf8'), head.replace('SET NAMES binary */', 'SET NAMES utf8mb4*/') + values);
		await writeFile(file, 'create table t (a text);\n');
		t.throws(tell);
	} finally {
		await rm(folder, {recursive: true, force: true});
	}
});
