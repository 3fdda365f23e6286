/** SQLite databases as applications leave them, and the programs of the worker, run here. */
import {spawn} from 'node:child_process';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {DatabaseSync} from 'node:sqlite';
import {fileURLToPath} from 'node:url';
import type {ExecutionContext} from 'ava';

const program = (name: string) => fileURLToPath(new URL(`../../../agent/sources/sqlite/${name}.program.ts`, import.meta.url));

export async function makeFolder(t: ExecutionContext): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-sqlite-'));
	t.teardown(async () => rm(folder, {recursive: true, force: true}));
	return folder;
}

export function withDatabase<Value>(file: string, work: (database: DatabaseSync) => Value): Value {
	const database = new DatabaseSync(file);
	try {
		return work(database);
	} finally {
		database.close();
	}
}

/** Of a database that is open. */
export const query = (database: DatabaseSync, sql: string): unknown => Object.values(database.prepare(sql).get() ?? {})[0];

/** A database whose indexes, columns and tables need what only their application has. */
export const makeStrange = (file: string): void =>
	withDatabase(file, database => {
		database.enableDefensive(false);
		database.function('title_sort', {deterministic: true}, title => title);
		database.exec(`
			create table people (id integer primary key, name text, picture blob);
			create index by_name on people (name);
			create table words (word text, language text, primary key (word, language)) without rowid;
			create table users (login text unique, mail text, upper_mail text as (upper(mail)) stored, check (length(login) > 0)) strict;
			create table books (id integer primary key, title text);
			create index by_title on books (title_sort(title)) where title is not null;
			create view titles as select title_sort(title) from books;
			create virtual table pages using fts5(content, tokenize = 'porter');
			create virtual table notes using fts4(content, tokenize = porter);
			create virtual table places using rtree(id, x0, x1);
			create table plain (a primary key, b unique);
			with recursive n(i) as (values(1) union all select i + 1 from n where i < 2000)
				insert into people select i, 'n' || i, case when i % 50 = 0 then zeroblob(9000) else randomblob(20) end from n;
			insert into words select name, 'en' from people;
			insert into users (login, mail) select name, name from people;
			insert into books select id, name from people;
			insert into pages select name from people limit 100;
			insert into notes select name from people limit 100;
			insert into places values (1, 1, 2);
			insert into plain values (1, 2);
			pragma writable_schema = on;
			update sqlite_schema set sql = replace(sql, '(name)', '(name collate NOCASE_UTF8)') where name = 'by_name';
			update sqlite_schema set sql = replace(sql, 'word text', 'word text collate unicase') where name = 'words';
			update sqlite_schema set sql = replace(sql, 'login text', 'login text collate unicase') where name = 'users';
			update sqlite_schema set sql = replace(sql, 'porter', 'mecab') where name in ('pages', 'notes');
			update sqlite_schema set sql = replace(sql, 'rtree', 'vec0') where name = 'places';
			pragma writable_schema = off;`);
	});

/** Another process that has the database open, spoken to in lines of SQL; it answers each line. */
export function holder(t: ExecutionContext, file: string) {
	const child = spawn(
		process.execPath,
		[
			'--disable-warning=ExperimentalWarning',
			'--input-type=module',
			'--eval',
			`import {DatabaseSync} from 'node:sqlite';
			import {createInterface} from 'node:readline';
			const database = new DatabaseSync(process.argv[1]);
			for await (const sql of createInterface({input: process.stdin})) {
				try { database.exec(sql); console.log('ok'); } catch (error) { console.log(error.message); }
			}`,
			file,
		],
		{stdio: ['pipe', 'pipe', 'inherit']},
	);
	t.teardown(() => child.kill('SIGKILL'));
	const answers = createInterface({input: child.stdout})[Symbol.asyncIterator]();
	return {
		async run(sql: string): Promise<string> {
			child.stdin.write(`${sql.replaceAll(/\s+/g, ' ')}\n`);
			return (await answers.next()).value as string;
		},
		async kill(): Promise<void> {
			const ended = new Promise(resolve => child.once('exit', resolve));
			child.kill('SIGKILL');
			await ended;
		},
	};
}

/** The session of a backup. */
export function session(t: ExecutionContext, {root, file, copy}: {root: string; file: string; copy: string}) {
	const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program('session'), root, file, copy], {
		stdio: ['pipe', 'pipe', 'inherit'],
	});
	t.teardown(() => child.kill('SIGKILL'));
	const answers = createInterface({input: child.stdout})[Symbol.asyncIterator]();
	const answer = async (): Promise<Record<string, unknown>> =>
		JSON.parse((await answers.next()).value as string) as Record<string, unknown>;
	return {
		answer,
		async ask(line: 'open' | 'pin' | 'store'): Promise<Record<string, unknown>> {
			child.stdin.write(`${line}\n`);
			return answer();
		},
	};
}
