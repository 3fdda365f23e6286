/** What a backup of a SQLite database starts, and how it is stored. */
import {dirname, join} from 'node:path';
import test from 'ava';
import type {PlannedSource, SourceContext} from '../../../../../agent/sources/source.ts';
import {sqliteSource} from '../../../../../agent/sources/sqlite/backup.ts';
import type {Place} from '../../../../../base/command.ts';
import {here} from '../../../../../base/here.ts';
import {makeFolder, withDatabase} from '../../../../support/doubles/sqlite.ts';

const inWorker = '/shop/app/volume/data';

test('one program says what there is, how large it is and what room there is for the copy; little is stored beside others', async t => {
	const file = join(await makeFolder(t), 'app.db');
	withDatabase(file, database => database.exec('pragma journal_mode = wal; create table t (a)'));
	const began: string[] = [];
	const worker: Place = async command => {
		began.push(command.argv.at(0) ?? '');
		const argv = command.argv.map(word => word.replace(inWorker, dirname(file))) as [string, ...string[]];
		return here({...command, argv});
	};
	const claims: unknown[][] = [];
	const context = {
		target: 'shop/app',
		worker,
		staging: await makeFolder(t),
		signal: new AbortController().signal,
		tell() {},
		room: {claim: async (...claim: unknown[]) => claims.push(claim)},
	} as unknown as SourceContext;
	const planned = {name: 'sqlite:/data/app.db', kind: 'sqlite', path: '/data/app.db', mount: {path: '/data'}} as unknown as PlannedSource;
	const source = sqliteSource(planned as Parameters<typeof sqliteSource>[0], context, {index: 0, all: [planned]});
	t.is(source.expectedBytes?.(), undefined, 'before it was looked at, nobody knows');
	await source.prepare();
	t.teardown(async () => source.close());
	t.is(began.length, 1);
	const [[name, bytes, when, freeBytes] = []] = claims;
	t.deepEqual([name, when], ['sqlite:/data/app.db', 'in the moment']);
	t.true(typeof bytes === 'number' && bytes > 0);
	t.true(typeof freeBytes === 'number' && freeBytes > 0);
	t.is(source.expectedBytes?.(), bytes as number);
});
