/** SQLite as people run it: held for itself alone, left by a crash, with contents that only the application understands, encrypted. Lane: waits. Turns: odd. */
import {randomBytes} from 'node:crypto';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import type {BackupResult, DrillResult} from '../../../base/results.ts';
import {holder, makeFolder, makeStrange, query, withDatabase} from '../../support/doubles/sqlite.ts';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

/** An application that opens its database for itself alone, and counts. */
const alone = (mode: string) =>
	`const {DatabaseSync} = require('node:sqlite'); const database = new DatabaseSync('/data/alone.db');
	database.exec('pragma locking_mode = exclusive; pragma journal_mode = ${mode}; create table if not exists t (a)');
	setInterval(() => database.exec('insert into t values (1)'), 20); process.on('SIGTERM', () => process.exit(0));`;

const warningsOf = async (stack: Stack, {run}: Pick<BackupResult, 'run'>): Promise<string[]> => {
	const found: string[] = [];
	for await (const event of stack.follow(run)) {
		found.push(...(event.type === 'warning' ? [event.message] : []));
	}

	return found;
};

test('odd databases are backed up, rehearsed and restored; what is none is said to be none', async t => {
	t.timeout(10 * 60_000);
	const [app, folder] = await Promise.all([ensureImage('holdfast-test/app:latest'), makeFolder(t)]);
	const [strange, hot, secret] = ['strange.db', 'hot.db', 'secret.db'].map(name => join(folder, name)) as [string, string, string];
	makeStrange(strange);
	await writeFile(secret, randomBytes(65_536));
	const crashing = holder(t, hot);
	await crashing.run('create table t (a, b)');
	await crashing.run(
		'with recursive n(i) as (values(1) union all select i + 1 from n where i < 2000) insert into t select i, randomblob(300) from n',
	);
	await crashing.run('pragma cache_size = 5');
	await crashing.run('begin; update t set a = -1');
	await crashing.kill();
	const idle = {image: app, command: ['sleep', 'infinity'], init: true};
	const stack = await startStack(t, {
		services: {
			odd: {
				...idle,
				volumes: [`${folder}:/data`],
				labels: {'holdfast.enable': 'true', 'holdfast.sqlite': '/data/strange.db,/data/hot.db'},
			},
			secret: {...idle, volumes: [`${folder}:/data`], labels: {'holdfast.enable': 'true', 'holdfast.sqlite': '/data/secret.db'}},
			alone: {
				image: app,
				command: ['node', '-e', alone('wal')],
				init: true,
				volumes: ['alone:/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.sqlite': '/data/alone.db', 'holdfast.quiesce': 'stop'},
			},
		},
		volumes: ['alone'],
	});
	const target = (service: string) => `${stack.project}/${service}`;

	const [odd] = (await stack.backup(target('odd'))) as [BackupResult];
	t.is(odd.outcome, 'success', odd.error);
	const warnings = await warningsOf(stack, odd);
	t.regex(warnings.join('\n'), /`\/data\/strange\.db` is whole page by page; that "people" \(no such collation sequence: NOCASE_UTF8\)/);
	t.regex(warnings.join('\n'), /`\/data\/hot\.db` had a transaction that a crash has cut off: it is rolled back in the copy/);
	const drilled = JSON.parse((await stack.holdfast('drill', target('odd'), '--json')).stdout) as DrillResult;
	t.is(drilled.outcome, 'success', JSON.stringify(drilled));

	withDatabase(strange, database => database.exec('delete from people'));
	withDatabase(hot, database => database.exec('delete from t'));
	const restored = await stack.restore(target('odd'), '--yes');
	t.is(restored.outcome, 'success', restored.error);
	t.is(
		withDatabase(strange, database => query(database, 'select count(*) from people not indexed')),
		2000,
	);
	t.deepEqual(
		withDatabase(hot, database => [query(database, 'select count(*) from t'), query(database, 'select sum(a = -1) from t')]),
		[2000, 0],
	);

	const [encrypted] = (await stack.backup(target('secret'))) as [BackupResult];
	t.is(encrypted.outcome, 'failed');
	t.regex(encrypted.error ?? '', /is not readable as SQLite: it is encrypted, or no SQLite database .*`holdfast\.volumes`/);

	await until('the application writes', async () => stack.exec('alone', 'ls', '/data/alone.db-wal'), {timeout: 30_000});
	const [held] = (await stack.backup(target('alone'))) as [BackupResult];
	t.is(held.outcome, 'success', held.error);
	t.is(await stack.state('alone'), 'running');
	const written = async () => stack.exec('alone', 'stat', '--format=%s %Y', '/data/alone.db-wal', '/data/alone.db');
	const before = await written();
	await until('it writes again, for itself alone', async () => (await written()) !== before, {timeout: 30_000});
});
