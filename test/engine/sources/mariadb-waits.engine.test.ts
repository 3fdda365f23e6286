/** MariaDB's tables that somebody has locked: dumped when they are let go of, or refused with the name of who is in the way, and nobody waits on. Lane: waits. */
import {writeFile} from 'node:fs/promises';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import type {RunView} from '../../../base/shapes/runs.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {idle, startWithSecrets} from '../../support/stack/far-server.ts';
import type {Stack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const sqlOf = (stack: Stack) => async (sql: string) =>
	docker(['exec', '--env', 'MYSQL_PWD=secret', stack.container('db'), 'mariadb', '-uroot', '-NBe', sql]);

/** A session that goes on until it is let go, having said `sql`. @returns its id, and the end of it */
async function hold(t: ExecutionContext, stack: Stack, sql: string): Promise<{id: string; release: () => Promise<void>}> {
	const session = execa(
		'docker',
		['exec', '-i', '--env', 'MYSQL_PWD=secret', stack.container('db'), 'mariadb', '-uroot', '-NB', '--unbuffered', '--database=shop'],
		{reject: false},
	);
	const release = async () => {
		session.stdin.end();
		await session;
	};
	t.teardown(release);
	const said = new Promise<string>(resolve => session.stdout.once('data', piece => resolve(String(piece).trim())));
	session.stdin.write('select connection_id();\n');
	const id = await said;
	session.stdin.write(`${sql}\n`);
	return {id, release};
}

/** Sessions of dumps that wait. */
const ours =
	"select count(*) from information_schema.processlist where state like 'Waiting for%' and info like '%SQL_NO_CACHE%' and id <> connection_id()";

test('a lock that is let go, an `alter` that is not, and a cancel', async t => {
	t.timeout(8 * 60_000);
	const labels = {'holdfast.enable': 'true', 'holdfast.mariadb.lock-timeout': '10s'};
	const {stack, secret} = await startWithSecrets(t, {
		db: {
			image: await ensureImage('mariadb:11.8'),
			environment: {MARIADB_ROOT_PASSWORD: 'secret', MARIADB_DATABASE: 'shop'},
			labels: {...labels, 'holdfast.mariadb': 'shop'},
		},
		far: await idle({
			...labels,
			'holdfast.mariadb': 'other,shop',
			'holdfast.mariadb.host': 'db',
			'holdfast.mariadb.password-secret': 'database',
		}),
	});
	await writeFile(secret('database'), 'secret\n', {mode: 0o600});
	const target = `${stack.project}/db`;
	const sql = sqlOf(stack);
	await until('the server answers', async () => sql("select 1 from mysql.user where user = 'root' and host = '%'"), {timeout: 120_000});
	await sql('use shop; create table shop.orders select seq as n from seq_1_to_1000; create database other; create table other.t (n int)');

	const locked = await hold(t, stack, 'lock tables orders write; select 1;');
	const running = stack.backup(target);
	await until('the dump has waited', async () => (await sql(`${ours} and time >= 4`)) === '1', {timeout: 60_000});
	await locked.release();
	const [result] = await running;
	t.is(result?.outcome, 'success', JSON.stringify(result));

	// Of several databases, nobody may commit while they begin, which a locked table is in the way of.
	const far = `${stack.project}/far`;
	const again = await hold(t, stack, 'lock tables orders write; select 1;');
	const [held] = await stack.backup(far);
	t.is(held?.outcome, 'failed', JSON.stringify(held));
	t.regex(
		held?.error ?? '',
		new RegExp(
			`cannot hold its commits: somebody has locked tables.* session ${again.id} \\(\`root\` at localhost, .*; it was tried for 10 s.*kill ID`,
		),
	);
	await again.release();
	const [free] = await stack.backup(far);
	t.is(free?.outcome, 'success', JSON.stringify(free));

	// Somebody's transaction keeps an `alter` waiting, and that keeps all who come after it.
	const reader = await hold(t, stack, 'start transaction; select count(*) from orders;');
	await until(
		'the transaction has begun',
		async () => (await sql(`select 1 from information_schema.innodb_trx where trx_mysql_thread_id = ${reader.id}`)) === '1',
	);
	const migration = await hold(t, stack, "alter table orders comment 'hush';");
	await until(
		'the alter waits',
		async () => (await sql(`select 1 from information_schema.processlist where id = ${migration.id} and state like 'Waiting%'`)) === '1',
	);
	const [failed] = await stack.backup(target);
	t.is(failed?.outcome, 'failed', JSON.stringify(failed));
	const error = failed?.error ?? '';
	t.regex(error, /a lock was waited for longer than 10 s \(Waiting for table metadata lock: .*`orders`/);
	t.regex(error, new RegExp(`session ${migration.id} \\(\`root\` at localhost, \`alter table orders comment '…'\` for \\d+ s`));
	t.regex(error, new RegExp(`session ${reader.id} \\(\`root\` at localhost, idle for \\d+ s, in its transaction since`));
	t.regex(error, /kill ID.*holdfast\.mariadb\.lock-timeout/);
	await until('no session of ours is left', async () => (await sql(ours)) === '0', {timeout: 20_000});

	// Nor does a cancel leave one in the queue.
	const cancelled = stack.backup(target);
	await until('the dump waits', async () => (await sql(ours)) === '1', {timeout: 60_000});
	const runs = JSON.parse((await stack.holdfast('runs', '--json')).stdout) as RunView[];
	await stack.holdfast('cancel', runs.find(({outcome}) => outcome === null)?.run ?? '');
	t.not((await cancelled)[0]?.outcome, 'success');
	await until('no session of ours is left', async () => (await sql(ours)) === '0', {timeout: 20_000});
	await reader.release();
	await migration.release();
	const [last] = await stack.backup(target);
	t.is(last?.outcome, 'success', JSON.stringify(last));
});
