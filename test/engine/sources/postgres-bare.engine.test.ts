/** A server whose image has no shell, nor what a shell calls: its point has its roles, is restored, undone, and rehearsed in that very image. Lane: waits. Turns: family. */
import {randomBytes} from 'node:crypto';
import test from 'ava';
import type {DrillResult} from '../../../base/results.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const shellAndMore = ['sh', 'dash', 'bash', 'sleep', 'mkdir', 'cat', 'tail', 'df'].map(program => `/bin/${program}`);

const roles = `select json_build_array(
	(select json_agg(r order by rolname) from (select rolname, rolinherit, rolcreatedb, rolcanlogin, rolconnlimit, rolpassword, rolvaliduntil from pg_authid where rolname !~ '^pg_') r),
	(select json_agg(m order by 1::text) from (select roleid::regrole::text, member::regrole::text, admin_option, inherit_option, set_option from pg_auth_members where member::regrole::text !~ '^pg_') m),
	(select json_agg(s) from (select setrole::regrole::text, setting from pg_db_role_setting, unnest(setconfig) setting where setdatabase = 0 order by 1, 2) s))`;

test('backed up with its roles, restored, undone, rehearsed', async t => {
	t.timeout(8 * 60_000);
	const bare = `holdfast-test/bare:${randomBytes(4).toString('hex')}`;
	const stack = await startStack(t, {
		services: {
			db: {
				image: await ensureImage('postgres:17'),
				environment: {POSTGRES_PASSWORD: 'x', POSTGRES_DB: 'shop'},
				labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'shop', 'holdfast.drill.image': bare},
			},
		},
	});
	const target = `${stack.project}/db`;
	const psql = async (...statements: string[]) =>
		stack.exec(
			'db',
			...['psql', '-h', '127.0.0.1', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', 'shop'],
			...statements.flatMap(statement => ['-c', statement]),
		);
	await until('the server answers', async () => psql('select 1'), {timeout: 120_000});
	await psql(
		`create role clerk login createdb connection limit 7 password 'o''clock \\ ' valid until '2099-01-01 00:00:00+00'`,
		'create role "Big; Boss" noinherit',
		'grant "Big; Boss" to clerk with admin option, inherit false',
		`alter role clerk set search_path = app, "$user", public`,
		`alter role clerk set application_name = 'a, "b" c'`,
		"create table marks as select 'found' as mark",
		'alter table marks owner to clerk',
	);
	await docker(['exec', '--user', '0', stack.container('db'), 'rm', '-f', ...shellAndMore]);
	t.teardown(async () => docker(['image', 'rm', '--force', bare]));
	await docker(['commit', stack.container('db'), bare]);
	await t.throwsAsync(docker(['run', '--rm', '--entrypoint', 'sleep', bare, '0']), {message: /executable file not found/});

	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	const before = await psql(roles);
	await psql('drop table marks', 'drop owned by clerk', 'drop role clerk', 'drop role "Big; Boss"');

	const restored = await stack.restore(target);
	t.is(restored.outcome, 'success', restored.error);
	t.is(await psql(roles), before);
	t.is(await psql("select mark || ' ' || tableowner from public.marks, pg_tables where tablename = 'marks'"), 'found clerk');
	t.is((await stack.holdfast('restore', 'undo', restored.run, '--yes')).exitCode, 0);
	t.is(await psql("select count(*) from pg_tables where tablename = 'marks'"), '0');

	const drilled = await stack.holdfast('drill', target, '--json');
	const drill = JSON.parse(drilled.stdout) as DrillResult;
	t.is(drill.outcome, 'success', drill.error ?? drilled.stderr);
});
