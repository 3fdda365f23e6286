import {mkdtemp, rm, stat} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {StateDatabase} from '../../../../agent/state/database.ts';
import {openRestores} from '../../../../agent/state/journals.ts';
import type {RestorePhase} from '../../../../agent/state/restores.ts';
import {openState} from '../../../../agent/state/state.ts';
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

test('what a full disk kept from being written of a restore is known, and written when there is room', async t => {
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-state-'));
	t.teardown(() => rm(folder, {recursive: true}));
	const path = join(folder, 'holdfast.db');
	openState(path).close();
	const database = new StateDatabase(path);
	t.teardown(() => database.close());
	const journal = openRestores(database);
	const record = (phase: 'swapping' | 'failed', run = 'r1') => ({
		...{run, target: 'shop/db', point: 'p', phase, swappedAt: null, settledBy: null, keptIn: 'primary', ran: [], unjudged: []},
		replacements: [{kind: 'volume', source: 'x'.repeat(100_000), touched: phase === 'swapping'}],
	});
	journal.saveRestore(record('swapping'));
	journal.saveRestore(record('swapping', 'r2'));
	const limit = Number(database.prepare('pragma page_count').get()?.page_count);
	database.exec(`pragma max_page_count = ${limit}`);
	t.throws(() => journal.saveRestore(record('failed', 'r3')), {message: /disk is full/});
	t.throws(() => journal.saveRestore({...record('failed'), point: 'p'.repeat(100_000)}), {message: /disk is full/});
	t.deepEqual(
		journal.restores().map(({run, phase}) => `${run} ${phase}`),
		['r1 failed', 'r2 swapping'],
		'what never was written is no restore',
	);
	database.exec('pragma max_page_count = 1000000');
	journal.removeRestore('r3');
	journal.restores();
	t.deepEqual(
		openRestores(database)
			.restores()
			.map(({run, phase}) => `${run} ${phase}`),
		['r1 failed', 'r2 swapping'],
	);
});

test('room is laid aside, and given up for what must be known after a restart, and for nothing else', async t => {
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-state-'));
	t.teardown(() => rm(folder, {recursive: true}));
	const path = join(folder, 'holdfast.db');
	let database: StateDatabase | undefined;
	const state = openState(path, {
		connect(...given) {
			database = new StateDatabase(...given);
			return database;
		},
	});
	t.teardown(state.close);
	const size = async () => (await stat(`${path}-reserve`).catch(() => undefined))?.size;
	t.is(await size(), 1024 ** 2);
	const record = (phase: RestorePhase, word: string) => ({
		...{run: word, target: 'shop/db', point: 'p', phase, swappedAt: null, settledBy: null, keptIn: 'primary', ran: [], unjudged: []},
		replacements: [{kind: 'volume', source: word.repeat(100_000)}],
	});
	database?.exec('pragma max_page_count = 1');
	t.throws(() => state.insertRun({run: 'r'.repeat(10_000), target: 't', operation: 'backup', trigger: 't', queuedAt: 1}), {
		message: /is full/,
	});
	t.throws(() => state.saveRestore(record('loading', 'a')), {message: /is full/});
	t.is(await size(), 1024 ** 2, 'what has not begun may fail');
	t.throws(() => state.saveRestore(record('swapping', 'b')), {message: /is full/});
	t.is(await size(), undefined);
	database?.exec('pragma max_page_count = 1000000');
	state.tryToWrite();
	t.is(await size(), 1024 ** 2);
});
