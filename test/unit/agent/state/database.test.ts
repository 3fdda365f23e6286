import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {StateDatabase} from '../../../../agent/state/database.ts';
import {explain} from '../../../../base/errors.ts';

test('a disk that is full is named, and any other error is as SQLite has it', async t => {
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-state-'));
	t.teardown(() => rm(folder, {recursive: true}));
	const path = join(folder, 'holdfast.db');
	const database = new StateDatabase(path);
	t.teardown(() => database.close());
	// As SQLite answers where the file cannot grow
	database.exec('create table kept (content blob); pragma max_page_count = 2');
	const insert = database.prepare('insert into kept values (zeroblob(?))');
	for (const work of [() => insert.run(100_000), () => database.exec('insert into kept values (zeroblob(100000))')]) {
		t.is(explain(t.throws(work)), `\`${path}\` cannot be written: its disk is full (make room on the file system of ${folder})`);
	}

	insert.run(1);
	t.like(database.prepare('select count(*) as count from kept').get(), {count: 1});
	t.throws(() => database.exec('select * from nowhere'), {message: /no such table/});
});
