/** An application that empties, alters and drops tables after the snapshot of a dump and before its locks: no point lacks their rows. Lane: waits. Turns: postgres. */
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import type {BackupResult} from '../../../base/results.ts';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const psqlIn =
	(stack: Stack, service: string) =>
	async (database: string, ...statements: string[]) =>
		stack.exec(
			service,
			...['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', database],
			...statements.flatMap(statement => ['-c', statement]),
		);

/** As many as are dumped at once. */
const before = ['a', 'b', 'c'];

/** Dumps of the first three wait for a lock, so that the last has not begun while its application goes on. */
async function overtake(t: ExecutionContext, stack: Stack, service: string, work: readonly string[]): Promise<BackupResult> {
	const psql = psqlIn(stack, service);
	const holders = before.map(database =>
		execa('docker', ['exec', '-i', stack.container(service), 'psql', '-XAtq', '-U', 'postgres', '-d', database], {reject: false}),
	);
	const release = async () => {
		for (const holder of holders) {
			holder.stdin.end();
		}

		await Promise.all(holders);
	};
	t.teardown(release);
	for (const holder of holders) {
		holder.stdin.write('begin; lock table t in access exclusive mode;\n');
	}

	const count = async (sql: string) => Number(await psql('postgres', `select count(*) from ${sql}`));
	await until('the tables are locked', async () => (await count("pg_locks where mode = 'AccessExclusiveLock' and granted")) >= 3);
	const running = stack.backup(`${stack.project}/${service}`);
	await until(
		'three dumps wait',
		async () => (await count("pg_stat_activity where application_name like 'holdfast%' and wait_event_type = 'Lock'")) === 3,
		{timeout: 90_000},
	);
	await psql('z', ...work);
	await release();
	const [result] = await running;
	return result as BackupResult;
}

test('what overtakes the snapshot of a dump is met by a new one; where files are of its moment, the run says so and makes no point', async t => {
	t.timeout(8 * 60_000);
	const image = await ensureImage('postgres:17');
	const environment = {POSTGRES_PASSWORD: 'secret'};
	const labels = {'holdfast.enable': 'true', 'holdfast.postgres': [...before, 'z'].join(',')};
	const stack = await startStack(t, {
		volumes: ['files'],
		services: {
			db: {image, environment, labels},
			filed: {image, environment, volumes: ['files:/files'], labels: {...labels, 'holdfast.volumes': '/files'}},
		},
	});
	for (const service of ['db', 'filed']) {
		const psql = psqlIn(stack, service);
		await until('the database answers', async () => stack.exec(service, 'pg_isready', '-h', '127.0.0.1'), {timeout: 60_000});
		for (const database of [...before, 'z']) {
			await psql('postgres', `create database ${database}`);
			await psql(database, 'create table t as select n from generate_series(1, 1000) n');
		}

		await psql('z', 'create table emptied as select 1 n', 'create table kept as select 1 n', 'create table "A b" as select 1 n');
	}

	const first = await overtake(t, stack, 'db', [
		'alter table t alter n type bigint',
		'truncate emptied',
		'insert into emptied select generate_series(1, 5)',
	]);
	t.is(first.outcome, 'success', first.error);
	const told: string[] = [];
	for await (const event of stack.follow(first.run)) {
		told.push(...(event.type === 'warning' ? [event.message] : []));
	}

	t.regex(told.join('\n'), /emptied or rewrote .* `public\.t`, `public\.emptied`: it is dumped again/);
	const psql = psqlIn(stack, 'db');
	const rows = async () => psql('z', 'select (select count(*) from t), (select count(*) from emptied), (select count(*) from kept)');
	await psql('z', 'drop table t', 'drop table emptied', 'drop table kept');
	const restored = await stack.restore(`${stack.project}/db`, '--only', 'postgres:z', '--yes');
	t.is(restored.outcome, 'success', restored.error);
	t.is(await rows(), '1000|5|1');

	const second = await overtake(t, stack, 'db', ['drop table "A b"', 'create table "A b" as select 2 n']);
	t.is(second.outcome, 'success', second.error);

	const filed = await overtake(t, stack, 'filed', ['truncate emptied']);
	t.is(filed.outcome, 'partial');
	t.is(filed.point, null);
	t.regex(
		filed.error ?? '',
		/postgres:z: `z` could not be dumped as it was: .*emptied or rewrote .* `public\.emptied` .*files be those of another target/,
	);
	const [again] = (await stack.backup(`${stack.project}/filed`)) as [BackupResult];
	t.is(again.outcome, 'success', again.error);
});
