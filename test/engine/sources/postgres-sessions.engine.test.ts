/** A server that ends sessions, and one whose tables somebody has locked: dumped, restored and rehearsed, or refused with the name of who is in the way. Lane: waits. Turns: postgres. */
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import type {DrillResult} from '../../../base/results.ts';
import type {RunView} from '../../../base/shapes/runs.ts';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const impatient = {
	idle_in_transaction_session_timeout: '1500',
	idle_session_timeout: '1500',
	transaction_timeout: '3000',
	statement_timeout: '1000',
	lock_timeout: '500',
};

const psql = async (stack: Stack, sql: string, database = 'shop') =>
	stack.exec('db', 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', database, '-c', sql);

const ours = "select count(*) from pg_stat_activity where application_name like 'holdfast%'";

/** Holds a lock on a table until it is let go. */
async function lock(t: ExecutionContext, stack: Stack, table: string): Promise<() => Promise<void>> {
	const holder = execa(
		'docker',
		['exec', '-i', '-e', 'PGAPPNAME=migration', stack.container('db'), 'psql', '-XAtq', '-U', 'postgres', '-d', 'shop'],
		{
			reject: false,
		},
	);
	const release = async () => {
		holder.stdin.end();
		await holder;
	};
	t.teardown(release);
	holder.stdin.write(
		`set transaction_timeout = 0; set idle_in_transaction_session_timeout = 0; begin; lock table ${table} in access exclusive mode;\n`,
	);
	await until(
		'the table is locked',
		async () =>
			(await psql(
				stack,
				"select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted and relation = 'orders'::regclass",
			)) === '1',
	);
	return release;
}

test('time-outs of server and role, locks that are let go, and those that are not', async t => {
	const stack = await startStack(t, {
		services: {
			db: {
				image: await ensureImage('postgres:17'),
				command: ['postgres', ...Object.entries(impatient).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
				environment: {POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'shop'},
				labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'other,shop', 'holdfast.postgres.lock-timeout': '6s'},
			},
		},
	});
	const target = `${stack.project}/db`;
	await until('the database answers', async () => psql(stack, 'select 1'), {timeout: 60_000});
	await psql(stack, 'create database other');
	await psql(
		stack,
		"create table orders as select n, md5(n::text) as item from generate_series(1, 1000) n; alter role postgres set statement_timeout = '900ms'",
	);
	const digest = "select count(*) || ' ' || md5(string_agg(o::text, ',' order by n)) from orders o";
	const before = await psql(stack, digest);

	// Longer than every time-out, and shorter than what the label allows.
	const release = await lock(t, stack, 'orders');
	const running = stack.backup(target);
	await until(
		'the dump has waited',
		async () => (await psql(stack, `${ours} and wait_event_type = 'Lock' and clock_timestamp() - state_change > '4s'`)) === '1',
		{
			timeout: 60_000,
		},
	);
	await release();
	const [result] = await running;
	t.is(result?.outcome, 'success', JSON.stringify(result));

	const drilled = await stack.holdfast('drill', target, '--json');
	t.is((JSON.parse(drilled.stdout) as DrillResult).outcome, 'success', drilled.stdout + drilled.stderr);
	await psql(stack, 'truncate orders');
	const restored = await stack.restore(target, '--only', 'postgres:shop');
	t.is(restored.outcome, 'success', JSON.stringify(restored));
	t.is(await psql(stack, digest), before);

	// Never let go: the run ends, and says who it is.
	const letGo = await lock(t, stack, 'orders');
	const [failed] = await stack.backup(target);
	t.is(failed?.outcome, 'partial');
	const pid = await psql(stack, "select pid from pg_stat_activity where application_name = 'migration'");
	t.regex(
		failed?.error ?? '',
		new RegExp(
			`session ${pid} \\(user postgres, application migration, idle in transaction, in its transaction since .*\\) has a lock on public.orders`,
		),
	);
	t.is(await psql(stack, ours), '0');

	// Nor does a cancel leave one in the queue.
	const cancelled = stack.backup(target);
	await until('the dump waits', async () => (await psql(stack, `${ours} and wait_event_type = 'Lock'`)) === '1', {timeout: 60_000});
	const runs = JSON.parse((await stack.holdfast('runs', '--json')).stdout) as RunView[];
	await stack.holdfast('cancel', runs.find(({outcome}) => outcome === null)?.run ?? '');
	t.not((await cancelled)[0]?.outcome, 'success');
	await until('no session of ours is left', async () => (await psql(stack, ours)) === '0', {timeout: 20_000});
	await letGo();
});
