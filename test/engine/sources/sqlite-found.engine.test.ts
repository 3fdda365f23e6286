/** Databases that are found: by patterns and by what they begin with, whatever they are called, when a backup is planned. Lane: waits. Turns: odd. */
import {rm, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import type {BackupResult} from '../../../base/results.ts';
import {makeFolder, query, withDatabase} from '../../support/doubles/sqlite.ts';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';

test('databases are found when a backup is planned; one that comes is taken, one that goes is told once', async t => {
	t.timeout(8 * 60_000);
	const [app, folder] = await Promise.all([ensureImage('holdfast-test/app:latest'), makeFolder(t)]);
	const make = (name: string) =>
		withDatabase(join(folder, name), database => database.exec('create table t (a); insert into t values (1)'));
	const hostile = ['-rf.db', '*.db', 'new\nline, with a comma.db', `${'long'.repeat(60)}.db`];
	for (const name of ['a.db', ...hostile]) {
		make(name);
	}

	await symlink('/etc/passwd', join(folder, 'link.db'));
	await writeFile(join(folder, 'kept.txt'), 'kept');
	const stack = await startStack(t, {
		services: {
			app: {
				image: app,
				command: ['sleep', 'infinity'],
				init: true,
				volumes: [`${folder}:/data`],
				labels: {'holdfast.enable': 'true', 'holdfast.sqlite': 'true', 'holdfast.volumes': 'true'},
			},
			pattern: {
				image: app,
				command: ['sleep', 'infinity'],
				init: true,
				volumes: [`${folder}:/data`],
				labels: {'holdfast.enable': 'true', 'holdfast.sqlite': '/data/\\**', 'holdfast.quiesce': 'none'},
			},
		},
	});
	const target = `${stack.project}/app`;
	const sourcesOf = ({sources}: BackupResult) => sources.map(({source}) => source).sort();
	const named = (...names: string[]) => [...names.map(name => `sqlite:/data/${name}`), 'volume:/data'].sort();

	const [first] = (await stack.backup(target)) as [BackupResult];
	t.is(first.outcome, 'success', first.error);
	t.deepEqual(sourcesOf(first), named('a.db', ...hostile));
	const volume = first.sources.find(({source}) => source === 'volume:/data');
	const listed = await stack.restic('ls', volume?.snapshot ?? '');
	t.true(listed.includes('kept.txt'));
	t.notRegex(listed, /\/(?:a|-rf|\*)\.db/, 'no volume takes what is copied as a database');

	await rm(join(folder, 'a.db'));
	make('later.db');
	const warnings = async ({run}: BackupResult) => {
		const found: string[] = [];
		for await (const event of stack.follow(run)) {
			found.push(...(event.type === 'warning' ? [event.message] : []));
		}

		return found.filter(message => /was in the point before/.test(message));
	};
	const [second] = (await stack.backup(target)) as [BackupResult];
	t.is(second.outcome, 'success', second.error);
	t.deepEqual(sourcesOf(second), named('later.db', ...hostile));
	t.deepEqual(
		(await warnings(second)).map(message => message.includes('`sqlite:/data/a.db`')),
		[true],
	);
	const [third] = (await stack.backup(target)) as [BackupResult];
	t.deepEqual(await warnings(third), []);

	withDatabase(join(folder, '*.db'), database => database.exec('delete from t'));
	const restored = await stack.restore(target, '--only', 'sqlite:/data/*.db', '--yes');
	t.is(restored.outcome, 'success', restored.error);
	t.is(
		withDatabase(join(folder, '*.db'), database => query(database, 'select count(*) from t')),
		1,
	);
	const [escaped] = (await stack.backup(`${stack.project}/pattern`)) as [BackupResult];
	t.is(escaped.outcome, 'success', escaped.error);
	t.deepEqual(sourcesOf(escaped), ['sqlite:/data/*.db']);
});
