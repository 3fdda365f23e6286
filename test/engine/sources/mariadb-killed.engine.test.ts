/** Settings of a MariaDB server that hold for everybody, which a loading changes: put back by the next life of an agent that was killed in the middle, in a restore and in an undo. Lane: waits. */
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import type {RunView} from '../../../base/shapes/runs.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {untilDead} from '../../support/laws/kills.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

/** Writes, and says nothing of itself. */
const content = `create table shop.orders select seq as n from seq_1_to_1000; set global log_bin_trust_function_creators = 1;
create function shop.loose() returns int begin insert into orders values (0); return rand() * 10; end;
set global log_bin_trust_function_creators = 0; create database holder;
create procedure holder.wait_for_it() begin repeat do sleep(0.001); until @@global.log_bin_trust_function_creators = 1 end repeat; end`;

/** From the instant in which the server trusts everybody, nobody can write. @returns ends that */
async function holdWhenTrusting(t: ExecutionContext, stack: Stack): Promise<{held: Promise<string>; release: () => Promise<void>}> {
	const session = execa(
		'docker',
		['exec', '-i', '--env', 'MYSQL_PWD=secret', stack.container('db'), 'mariadb', '-uroot', '-NB', '--unbuffered'],
		{reject: false},
	);
	const release = async () => {
		session.stdin.end();
		await session;
	};
	t.teardown(async () => {
		session.kill();
		await session;
	});
	const held = new Promise<string>(resolve => session.stdout.once('data', piece => resolve(String(piece).trim())));
	session.stdin.write("call holder.wait_for_it(); flush tables with read lock; select 'held';\n");
	return {held, release};
}

test('an agent that is killed while it loads', async t => {
	t.timeout(8 * 60_000);
	const stack = await startStack(t, {
		services: {
			db: {
				image: await ensureImage('mariadb:11.8'),
				command: ['mariadbd', '--log-bin'],
				environment: {MARIADB_ROOT_PASSWORD: 'secret', MARIADB_DATABASE: 'shop'},
				labels: {'holdfast.enable': 'true', 'holdfast.mariadb': 'shop'},
			},
		},
	});
	const target = `${stack.project}/db`;
	const sql = async (text: string) =>
		docker([
			'exec',
			'--env',
			'MYSQL_PWD=secret',
			stack.container('db'),
			'mariadb',
			'-uroot',
			'-NB',
			'--database=shop',
			'--delimiter=//',
			'-e',
			text,
		]);
	const settings = async () => sql('select @@global.log_bin_trust_function_creators, @@global.max_allowed_packet');
	const databases = async () => sql("select count(*) from information_schema.schemata where schema_name like 'shop\\_%'");
	await until('the server answers', async () => sql("select 1 from mysql.user where user = 'root' and host = '%'"), {timeout: 120_000});
	await sql(content);
	await sql('set global max_allowed_packet = 33554432');
	const before = await settings();
	t.is(before, '0\t33554432');
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);

	/** The agent dies with the server changed, and lives again. */
	const killedAt = async (...command: [string, ...string[]]) => {
		const {held, release} = await holdWhenTrusting(t, stack);
		const asked = stack.holdfast(...command);
		t.is(await held, 'held');
		await stack.docker(['kill', '--signal', 'KILL', stack.container('holdfast')]);
		await asked.catch(() => {});
		await untilDead(stack);
		t.regex(await settings(), /^1\t/);
		await release();
		await stack.docker(['start', stack.container('holdfast')]);
		await stack.ready();
		await until(
			'all runs are over',
			async () => {
				const {stdout} = await stack.holdfast('runs', '--json');
				return (JSON.parse(stdout) as RunView[]).every(({state}) => state === 'finished');
			},
			{timeout: 180_000},
		);
	};

	await killedAt('restore', target, '--yes');
	await until('the server is as it was', async () => (await settings()) === before, {timeout: 60_000});
	t.is(await databases(), '0');
	t.is(await sql('select count(*) from shop.orders'), '1000');

	await sql('delete from shop.orders where n > 10');
	const restored = await stack.restore(target);
	t.is(restored.outcome, 'success', restored.error);
	t.is(await settings(), before);
	await killedAt('restore', 'undo', restored.run);
	await until('the server is as it was', async () => (await settings()) === before, {timeout: 60_000});
	t.is(await databases(), '0');
	t.is(await sql('select count(*) from shop.orders'), '10');
	t.regex(await sql('show create function shop.loose'), /insert into orders/);
});
