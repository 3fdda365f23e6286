/** Paths that labels name and that are not there: said by plan and doctor, missing in the point beside others, and in it once they are. Lane: waits. Turns: odd. */
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import type {BackupResult} from '../../../base/results.ts';
import {makeFolder, withDatabase} from '../../support/doubles/sqlite.ts';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';

test('a database and a path that are not there are told before a backup meets them; the others have their point', async t => {
	t.timeout(6 * 60_000);
	const [app, folder] = await Promise.all([ensureImage('holdfast-test/app:latest'), makeFolder(t)]);
	const make = (name: string) =>
		withDatabase(join(folder, name), database => database.exec('create table t (a); insert into t values (1)'));
	make('a.db');
	await mkdir(join(folder, 'folder'));
	const idle = {image: app, command: ['sleep', 'infinity'], init: true, volumes: [`${folder}:/data`]};
	const enable = {'holdfast.enable': 'true', 'holdfast.volumes': 'false'};
	const stack = await startStack(t, {
		services: {
			app: {...idle, labels: {...enable, 'holdfast.sqlite': '/data/a.db,/data/later.db', 'holdfast.tar': '/srv/app'}},
			alone: {...idle, labels: {...enable, 'holdfast.sqlite': '/data/folder'}},
		},
	});
	const target = `${stack.project}/app`;

	const plan = await stack.holdfast('plan', target);
	t.is(plan.exitCode, 0, plan.stderr);
	t.regex(plan.stdout, /`sqlite:\/data\/later\.db` is left out: `holdfast\.sqlite` names "\/data\/later\.db", which does not exist/);
	t.regex(plan.stdout, /`tar:\/srv\/app` is left out: `holdfast\.tar` names "\/srv\/app", which does not exist/);
	const doctor = (await stack.holdfast('doctor')).stdout;
	t.regex(doctor, /`sqlite:\/data\/later\.db` is in no new point: .*start the application/s);
	t.regex(doctor, /`tar:\/srv\/app` is in no new point/);
	t.regex(doctor, /`holdfast\.sqlite` names "\/data\/folder", which is a folder.*`\/data\/folder\/\*\.db`/s);
	const refused = await stack.holdfast('plan', `${stack.project}/alone`);
	t.is(refused.exitCode, 2);
	t.regex(refused.stderr, /`holdfast\.sqlite` names "\/data\/folder", which is a folder/);

	const [first] = (await stack.backup(target)) as [BackupResult];
	t.is(first.outcome, 'partial', first.error);
	t.truthy(first.point);
	t.deepEqual(
		first.sources.map(({source, outcome}) => [source, outcome]),
		[['sqlite:/data/a.db', 'success']],
	);
	t.deepEqual(first.absent?.map(({source}) => source).sort(), ['sqlite:/data/later.db', 'tar:/srv/app']);

	make('later.db');
	await stack.exec('app', 'sh', '-c', 'mkdir -p /srv/app && echo x >/srv/app/x');
	const [second] = (await stack.backup(target)) as [BackupResult];
	t.is(second.outcome, 'success', second.error);
	t.deepEqual(second.sources.map(({source}) => source).sort(), ['sqlite:/data/a.db', 'sqlite:/data/later.db', 'tar:/srv/app']);
});
