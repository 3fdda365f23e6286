/** What of a database is apart from its tables: event triggers, foreign servers, subscriptions; sessions that nobody may end, and a server that has none left for now. Lane: waits. Turns: postgres. */
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import type {BackupResult, DrillResult, RestoreResult} from '../../../base/results.ts';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

let stack: Stack;
const teardowns: Array<() => unknown> = [];
const target = (service: string) => `${stack.project}/${service}`;

const psqlAs = async (service: string, user: string, database: string, ...statements: string[]) =>
	stack.exec(
		service,
		...['psql', '-h', '127.0.0.1', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', user, '-d', database],
		...statements.flatMap(statement => ['-c', statement]),
	);

const psql = async (database: string, ...statements: string[]) => psqlAs('db', 'postgres', database, ...statements);

/** Sessions of somebody, which stay until the test ends. */
async function connected(
	t: ExecutionContext,
	service: string,
	database: string,
	count: number,
	application: string,
): Promise<() => Promise<void>> {
	const sessions = Array.from({length: count}, () =>
		execa(
			'docker',
			['exec', '-i', '-e', `PGAPPNAME=${application}`, stack.container(service), 'psql', '-XAtq', '-U', 'postgres', '-d', database],
			{
				reject: false,
			},
		),
	);
	const end = async () => {
		for (const session of sessions) {
			session.stdin.end();
		}

		await Promise.all(sessions);
	};
	t.teardown(end);
	for (const session of sessions) {
		session.stdin.write('select 1;\n');
	}

	const asked = `select count(*) from pg_stat_activity where application_name = '${application}'`;
	await until('they are connected', async () => (await psqlAs(service, 'postgres', 'postgres', asked)) === String(count), {
		timeout: 60_000,
	});
	return end;
}

test.before(async t => {
	t.timeout(5 * 60_000);
	const image = await ensureImage('postgres:17');
	const environment = {POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'shop', POSTGRES_HOST_AUTH_METHOD: 'trust'};
	stack = await startStack(
		{teardown: undo => teardowns.push(undo)},
		{
			volumes: ['files'],
			services: {
				db: {
					image,
					command: ['postgres', '-c', 'wal_level=logical'],
					environment,
					labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'copied,other,shop'},
				},
				app: {image, command: ['sleep', 'infinity'], init: true, depends_on: ['owned']},
				owned: {
					image,
					environment,
					labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'shop', 'holdfast.postgres.user': 'keeper'},
				},
				narrow: {
					image,
					command: ['postgres', '-c', 'max_connections=9', '-c', 'superuser_reserved_connections=0', '-c', 'max_wal_senders=0'],
					environment,
					volumes: ['files:/files'],
					labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'a,b,c', 'holdfast.volumes': '/files'},
				},
			},
		},
	);
	for (const service of ['db', 'owned', 'narrow']) {
		await until('the database answers', async () => psqlAs(service, 'postgres', 'shop', 'select 1'), {timeout: 120_000});
	}
});

test.after.always(async () => {
	for (const undo of teardowns.toReversed()) {
		await undo();
	}
});

test.serial('event triggers, foreign servers with their mappings, and subscriptions', async t => {
	t.timeout(8 * 60_000);
	await psql('postgres', 'create database other', 'create database copied');
	await psql('other', 'create table there as select n from generate_series(1, 300) n');
	await psql(
		'shop',
		'create table ddl (tag text)',
		'create function note() returns event_trigger language plpgsql as $$ begin insert into public.ddl values (tg_tag); end $$',
		'create event trigger noted on ddl_command_end execute function note()',
		'create extension postgres_fdw',
		"create server near foreign data wrapper postgres_fdw options (host '/var/run/postgresql', dbname 'other')",
		"create user mapping for postgres server near options (user 'postgres', password 'of the mapping')",
		'create foreign table there (n int) server near',
		'create table orders as select n from generate_series(1, 1000) n',
	);
	await psql(
		'copied',
		'create table there (n int)',
		"create subscription follow connection 'dbname=other' publication everything with (connect = false, enabled = false, slot_name = none)",
	);
	const [backup] = (await stack.backup(target('db'))) as [BackupResult];
	t.is(backup.outcome, 'success', backup.error);
	t.regex((backup.warnings ?? []).join('\n'), /`postgres:copied` has the subscription `follow`: .* a restored one is disabled/);

	// All of them in one server of scratch, one after the other.
	const running = stack.holdfast('drill', target('db'), '--json');
	const scratch = new Set<string>();
	let isOver = false;
	const watching = until(
		'the drill to end',
		async () => {
			const names = await stack.docker(['ps', '--all', '--format', '{{.Names}}', '--filter', 'name=holdfast-scratch-']);
			for (const name of names.split('\n').filter(Boolean)) {
				scratch.add(name);
			}

			return isOver;
		},
		{timeout: 300_000, interval: 300},
	);
	const drilled = JSON.parse((await running).stdout) as DrillResult;
	isOver = true;
	await watching;
	t.is(drilled.outcome, 'success', JSON.stringify(drilled));
	t.is(drilled.sources.length, 3);
	t.deepEqual(
		[...scratch].filter(name => name.includes(drilled.run)),
		[`holdfast-scratch-${drilled.run}-1`],
	);

	const refused = await stack.holdfast('restore', target('db'), '--dry-run');
	t.is(refused.exitCode, 2);
	t.regex(refused.stderr, /database `copied` has the subscription `follow`.*drop it/);
	await psql('copied', 'drop subscription follow');
	await psql('shop', 'drop event trigger noted', 'drop server near cascade', 'delete from orders');
	const restored = await stack.restore(target('db'));
	t.is(restored.outcome, 'success', restored.error);
	t.is(await psql('shop', 'select count(*) from orders'), '1000');
	t.is(await psql('shop', 'select count(*) from there'), '300', 'through the foreign server');
	t.is(await psql('shop', 'select unnest(umoptions) from pg_user_mappings order by 1'), 'password=of the mapping\nuser=postgres');
	await psql('shop', 'delete from ddl', 'create table later ()');
	t.is(await psql('shop', 'select tag from ddl'), 'CREATE TABLE');
	t.is(
		await psql(
			'copied',
			'select subname, subenabled from pg_subscription s join pg_database d on d.oid = subdbid where datname = current_database()',
		),
		'follow|f',
	);
	await psql('copied', 'alter subscription follow set (slot_name = none)', 'drop subscription follow');
	const undone = await stack.holdfast('restore', 'undo', restored.run);
	t.is(undone.exitCode, 0, undone.stderr);
	t.is(await psql('shop', 'select count(*) from orders'), '0');
});

test.serial('an undo that a session is in the way of, which the role may not end: nothing is stopped, and who it is is said', async t => {
	t.timeout(5 * 60_000);
	const owned = async (database: string, ...statements: string[]) => psqlAs('owned', 'postgres', database, ...statements);
	await owned('postgres', 'create role keeper login createdb', 'alter database shop owner to keeper');
	await owned('shop', 'set role keeper', 'create schema kept', 'create table kept.t as select n from generate_series(1, 50) n');
	const [backup] = await stack.backup(target('owned'));
	t.is(backup?.outcome, 'success', backup?.error);
	await owned('shop', 'delete from kept.t');
	const restored = await stack.restore(target('owned'));
	t.is(restored.outcome, 'success', restored.error);
	t.is(await owned('shop', 'select count(*) from kept.t'), '50');
	const end = await connected(t, 'owned', 'shop', 1, 'exporter');
	const startedAt = async () => stack.docker(['inspect', '--format', '{{.State.StartedAt}}', stack.container('app')]);
	const began = await startedAt();
	const stuck = await stack.holdfast('restore', 'undo', restored.run, '--json');
	t.not(stuck.exitCode, 0);
	t.regex(
		stuck.stdout + stuck.stderr,
		/nothing was stopped, .*role `keeper` may not end session \d+ in database `shop` \(user postgres, application exporter\)/,
	);
	t.is(await startedAt(), began);
	t.is(await owned('shop', 'select count(*) from kept.t'), '50');
	await end();
	const undone = JSON.parse((await stack.holdfast('restore', 'undo', restored.run, '--json')).stdout) as RestoreResult;
	t.is(undone.outcome, 'success', undone.error);
	t.is(await owned('shop', 'select count(*) from kept.t'), '0');
	t.not(await startedAt(), began, 'it was stopped for the undo');
});

test.serial('a server whose sessions are all in use for now is waited for, and the plan says so', async t => {
	t.timeout(5 * 60_000);
	const narrow = async (database: string, ...statements: string[]) => psqlAs('narrow', 'postgres', database, ...statements);
	for (const name of ['a', 'b', 'c']) {
		await narrow('postgres', `create database ${name}`);
		await narrow(name, 'create table t as select n from generate_series(1, 20) n');
	}

	const end = await connected(t, 'narrow', 'shop', 6, 'application');
	const plan = await stack.holdfast('plan', target('narrow'));
	t.is(plan.exitCode, 0, plan.stderr);
	t.regex(plan.stdout, /3 databases of one moment need 4 sessions .* and 9 at most: a run waits for them/);
	let isOver = false;
	const running = stack.backup(target('narrow')).finally(() => {
		isOver = true;
	});
	await until('the run has begun', async () => (await stack.holdfast('runs', '--json')).stdout.includes(target('narrow')), {
		timeout: 30_000,
	});
	t.false(isOver, 'it waits');
	await end();
	const [backup] = await running;
	t.is(backup?.outcome, 'success', backup?.error);
	t.is(backup?.sources.length, 4);
});
