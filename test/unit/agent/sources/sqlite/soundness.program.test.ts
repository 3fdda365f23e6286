/** Whether a database is whole, where the application's own functions, collations, tokenizers and modules are not there. */
import {createHash} from 'node:crypto';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {DatabaseSync} from 'node:sqlite';
import test from 'ava';
import {examine} from '../../../../../agent/sources/sqlite/soundness.program.ts';
import {makeFolder, makeStrange, query, withDatabase} from '../../../../support/doubles/sqlite.ts';

const hash = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

test('what needs nothing is checked in full', async t => {
	const file = join(await makeFolder(t), 'plain.db');
	t.deepEqual(
		withDatabase(file, database => {
			database.exec('create table a (b unique); insert into a values (1); create index c on a (b)');
			return examine(database);
		}),
		[],
	);
});

test('what only the application understands is named, with its rows, and the database is as it was', async t => {
	const file = join(await makeFolder(t), 'strange.db');
	makeStrange(file);
	const before = hash(file);
	t.deepEqual(withDatabase(file, examine), [
		{table: 'people', why: 'no such collation sequence: NOCASE_UTF8', rows: 2000},
		{table: 'words', why: 'no such collation sequence: unicase', rows: 2000},
		{table: 'users', why: 'no such collation sequence: unicase', rows: 2000},
		{table: 'books', why: 'unknown function: title_sort()', rows: 2000},
		{table: 'pages', why: 'SQL logic error'},
		{table: 'notes', why: 'unknown tokenizer: mecab'},
	]);
	t.is(hash(file), before);
	t.is(
		withDatabase(file, database => query(database, "select sql from sqlite_schema where name = 'by_name'")),
		'create index by_name on people (name collate NOCASE_UTF8)'.replace('create index', 'CREATE INDEX'),
	);
});

test('a full-text index that has no texts, or does not fit them any more, is named, and is no damage', async t => {
	const folder = await makeFolder(t);
	const file = join(folder, 'texts.db');
	t.deepEqual(
		withDatabase(file, database => {
			database.exec(`create virtual table bare using fts4(content="", a); insert into bare (docid, a) values (1, 'word');
				create table texts (id integer primary key, a text); insert into texts values (1, 'one'), (2, 'two');
				create virtual table apart using fts4(content="texts", a); insert into apart (docid, a) select id, a from texts; delete from texts where id = 2;
				create virtual table whole using fts5(a); insert into whole values ('word');
				create virtual table boxes using rtree(id, low, high); insert into boxes values (1, 0, 1)`);
			return examine(database)
				.map(({table, why}) => [table, why.replace(/:.*/s, '')])
				.toSorted();
		}),
		[
			['apart', 'malformed inverted index for FTS4 table main.apart'],
			['bare', 'unable to validate the inverted index for FTS4 table main.bare'],
		],
	);

	const boxes = join(folder, 'boxes.db');
	withDatabase(boxes, database => {
		database.enableDefensive(false);
		database.exec(`create virtual table boxes using rtree(id, low, high); insert into boxes values (1, 0, 1); delete from boxes_rowid`);
	});
	t.throws(() => withDatabase(boxes, examine), {message: /is damaged/});
});

const quick = (database: DatabaseSync): string => String(query(database, 'pragma quick_check'));

const verdict = (file: string, check: (database: DatabaseSync) => unknown): boolean => {
	try {
		const found = withDatabase(file, check);
		return found === 'ok' || Array.isArray(found);
	} catch {
		return false;
	}
};

test('damage is found as well as SQLite finds it where it has all that it needs', async t => {
	const folder = await makeFolder(t);
	const [known, strange, broken] = ['known.db', 'strange.db', 'broken.db'].map(name => join(folder, name)) as [string, string, string];
	const make = (file: string) =>
		withDatabase(file, database => {
			database.exec(`pragma auto_vacuum = 1; create table t (id integer primary key, name text, b blob); create index i on t (name);
				create table w (a text, b text, primary key (a, b)) without rowid;
				with recursive n(i) as (values(1) union all select i + 1 from n where i < 1000)
					insert into t select i, 'n' || i, case when i % 50 = 0 then zeroblob(9000) else zeroblob(20) end from n;
				insert into w select name, id from t; create table g as select * from t; drop table g`);
		});
	make(known);
	make(strange);
	withDatabase(strange, database => {
		database.enableDefensive(false);
		database.exec(
			"pragma writable_schema = on; update sqlite_schema set sql = replace(sql, '(name)', '(name collate mine)') where name = 'i'",
		);
	});
	t.is(withDatabase(strange, examine).length, 1);
	const [whole, odd] = [readFileSync(known), readFileSync(strange)];
	t.is(whole.length, odd.length);
	let seed = 7;
	const below = (limit: number) => {
		seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
		return Math.floor((seed / 2_147_483_648) * limit);
	};

	const found = {damaged: 0, harmless: 0};
	for (let round = 0; round < 60; round++) {
		const start = (1 + below(whole.length / 4096 - 1)) * 4096;
		const damage = (content: Buffer) => {
			const damaged = Buffer.from(content);
			return round % 2 === 0 ? damaged.fill(0, start, start + 4096) : damaged.fill(round * 37, start, start + 16);
		};

		writeFileSync(broken, damage(whole));
		const expected = verdict(broken, quick);
		writeFileSync(broken, damage(odd));
		t.is(verdict(broken, examine), expected, `round ${round}, at ${start}`);
		found[expected ? 'harmless' : 'damaged']++;
	}

	t.true(found.damaged > 30, JSON.stringify(found));
});
