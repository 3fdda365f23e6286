/** The session that pins and copies a SQLite database: the program that runs in the worker, run here against a process that has the database open. */
import {createHash, randomBytes} from 'node:crypto';
import {chmodSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {holder, makeFolder, query, session, withDatabase} from '../../../../support/doubles/sqlite.ts';

const count = (file: string): unknown => withDatabase(file, database => query(database, 'select count(*) from t'));

const place = async (t: ExecutionContext) => {
	const root = await makeFolder(t);
	const paths = {root, file: join(root, 'app.db'), copy: join(await makeFolder(t), 'copy')};
	return {...paths, open: () => session(t, paths)};
};

/** With an application that has it open. */
const prepare = async (t: ExecutionContext) => {
	const paths = await place(t);
	return {...paths, app: holder(t, paths.file)};
};

test('in WAL mode the copy shows the moment, and nobody waits', async t => {
	const {app, open, copy} = await prepare(t);
	await app.run('pragma journal_mode = wal; create table t (a); insert into t values (1)');
	const asked = open();
	t.true('found' in (await asked.answer()));
	t.like(await asked.ask('open'), {opened: {isHot: false, journalMode: 'wal'}});
	t.like(await asked.ask('pin'), {pinned: {heldMs: 0}});
	t.is(await app.run('insert into t values (2)'), 'ok');
	t.like(await asked.ask('store'), {stored: {tables: 1}});
	t.is(count(copy), 1);
});

test('with a rollback journal the database is free as soon as it is pinned, and the copy is of that moment', async t => {
	for (const mode of ['delete', 'truncate', 'persist']) {
		const {app, open, copy} = await prepare(t);
		await app.run(`pragma journal_mode = ${mode}; create table t (a); insert into t values (1)`);
		const asked = open();
		await asked.answer();
		t.like(await asked.ask('open'), {opened: {journalMode: 'delete', isHot: false}});
		const {pinned} = (await asked.ask('pin')) as {pinned: {heldMs: number}};
		t.true(pinned.heldMs > 0);
		t.is(await app.run('insert into t values (2)'), 'ok', mode);
		t.like(await asked.ask('store'), {stored: {tables: 1}});
		t.is(count(copy), 1);
	}
});

test('an application that has it for itself alone is waited for, and has it again before the copy is stored', async t => {
	for (const mode of ['delete', 'wal']) {
		const {app, open, copy, file} = await prepare(t);
		await app.run(`pragma locking_mode = exclusive; pragma journal_mode = ${mode}; create table t (a); insert into t values (1)`);
		const asked = open();
		t.true('found' in (await asked.answer()), 'that it is locked is no reason to fail');
		t.deepEqual(await asked.ask('open'), {blocked: 'database is locked'});
		t.deepEqual(await asked.ask('pin'), {blocked: 'database is locked'});
		await app.kill();
		t.true('pinned' in (await asked.ask('pin')), mode);
		const again = holder(t, file);
		t.is(await again.run('pragma locking_mode = exclusive; insert into t values (2)'), 'ok', mode);
		t.like(await asked.ask('store'), {stored: {tables: 1}});
		t.is(count(copy), 1);
	}
});

test('what a crash has cut off is rolled back in the copy, and the original is as it was', async t => {
	const {app, open, copy, root, file} = await prepare(t);
	await app.run('create table t (a, b)');
	await app.run(
		'with recursive n(i) as (values(1) union all select i + 1 from n where i < 2000) insert into t select i, randomblob(300) from n',
	);
	await app.run('pragma cache_size = 5');
	await app.run('begin; update t set a = -1');
	await app.kill();
	const state = () =>
		readdirSync(root)
			.sort()
			.map(name => [
				name,
				createHash('sha256')
					.update(readFileSync(join(root, name)))
					.digest('hex'),
			]);
	const before = state();
	t.deepEqual(
		before.map(([name]) => name),
		['app.db', 'app.db-journal'],
	);
	const asked = open();
	await asked.answer();
	t.deepEqual(await asked.ask('open'), {opened: {isHot: true}});
	t.deepEqual(await asked.ask('pin'), {pinned: {heldMs: 0, rolledBack: true}});
	t.like(await asked.ask('store'), {stored: {tables: 1}});
	t.deepEqual(state(), before);
	t.deepEqual(
		withDatabase(copy, database => query(database, 'select sum(a = -1) + count(*) from t')),
		2000,
	);
	t.false(existsSync(`${copy}-journal`));
	t.is(
		withDatabase(file, database => query(database, 'select sum(a = -1) from t')),
		0,
		'as its application would do',
	);
});

/** What `commit` writes at the end of a journal of a transaction over several databases. */
const company = (name: string): Buffer => {
	const text = Buffer.from(name);
	const numbers = Buffer.alloc(8);
	numbers.writeUInt32BE(text.length, 0);
	numbers.writeUInt32BE(
		text.reduce((sum, byte) => sum + byte, 0),
		4,
	);
	return Buffer.concat([Buffer.from('00000000', 'hex'), text, numbers, Buffer.from('d9d505f920a163d7', 'hex')]);
};

test('a transaction over several databases is rolled back where it was not committed, and never guessed at', async t => {
	for (const isThere of [true, false]) {
		const {app, open, copy, file} = await prepare(t);
		await app.run('create table t (a, b)');
		await app.run(
			'with recursive n(i) as (values(1) union all select i + 1 from n where i < 2000) insert into t select i, randomblob(300) from n',
		);
		await app.run('pragma cache_size = 5');
		await app.run('begin; update t set a = -1');
		await app.kill();
		writeFileSync(`${file}-journal`, Buffer.concat([readFileSync(`${file}-journal`), company('/elsewhere/app.db-mj01')]));
		if (isThere) {
			writeFileSync(join(file, '..', 'app.db-mj01'), '/elsewhere/app.db-journal\0');
		}

		const asked = open();
		await asked.answer();
		await asked.ask('open');
		const pinned = await asked.ask('pin');
		if (isThere) {
			t.like(pinned, {pinned: {rolledBack: true}});
			t.like(await asked.ask('store'), {stored: {tables: 1}});
			t.is(
				withDatabase(copy, database => query(database, 'select sum(a = -1) from t')),
				0,
			);
		} else {
			t.regex(String(pinned.error), /whether it was committed is not known here: start the application once/);
		}
	}
});

test('what is no database is said to be none, and nothing is followed out of the mount', async t => {
	const {open, file} = await place(t);
	t.deepEqual(await open().answer(), {error: 'does not exist'});
	writeFileSync(file, '');
	t.deepEqual(await open().answer(), {error: 'is empty: not one page, and so no database'});
	writeFileSync(file, randomBytes(40_960));
	t.deepEqual(await open().answer(), {error: 'is not readable as SQLite: it is encrypted, or no SQLite database'});
	writeFileSync(file, Buffer.concat([Buffer.from('SQLite format 3\0'), randomBytes(40_960)]));
	const asked = open();
	await asked.answer();
	t.deepEqual(await asked.ask('open'), {error: 'is not readable as SQLite: it is encrypted, or no SQLite database'});
	const other = await place(t);
	symlinkSync(file, other.file);
	t.deepEqual(await other.open().answer(), {error: 'is a link that leads out of its mount'});
});

test('any size of pages, any encoding, files that nobody may write, and names that SQLite could read otherwise', async t => {
	for (const [name, pragmas] of [
		['app.db', 'pragma page_size = 65536; pragma auto_vacuum = 2'],
		['a?mode=memory#x%20.db', "pragma page_size = 512; pragma encoding = 'UTF-16be'"],
		['file:x.db', 'pragma journal_mode = wal'],
		[':memory:', 'pragma journal_mode = wal; pragma page_size = 1024'],
	] as const) {
		const {root, copy} = await place(t);
		const file = join(root, name);
		withDatabase(file, database =>
			database.exec(
				`${pragmas}; create table t (a); insert into t values (1), ('ä'); create table s (a int primary key) strict, without rowid`,
			),
		);
		chmodSync(file, 0o444);
		chmodSync(root, 0o555);
		t.teardown(() => chmodSync(root, 0o755));
		const asked = session(t, {root, file, copy});
		t.true('found' in (await asked.answer()), name);
		t.true('pinned' in (await asked.ask('pin')), name);
		t.like(await asked.ask('store'), {stored: {tables: 2}}, name);
		t.is(count(copy), 2);
		t.deepEqual(
			readdirSync(root).filter(found => !found.startsWith(name)),
			[],
		);
	}
});
