/** Accounts of MariaDB that may not do all that a dump takes: it is said before anything is begun, with the statement that gives it. Lane: works. */
import {writeFile} from 'node:fs/promises';
import test from 'ava';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {startWithSecrets} from '../../support/stack/far-server.ts';
import {until} from '../../support/until.ts';

test('an account without EVENT and SHOW VIEW: told by the plan, refused before anything stands still, and enough with what the message says', async t => {
	t.timeout(6 * 60_000);
	const {stack, secret} = await startWithSecrets(t, {
		db: {
			image: await ensureImage('mariadb:11.8'),
			environment: {MARIADB_ROOT_PASSWORD: 'secret', MARIADB_DATABASE: 'shop'},
			labels: {
				'holdfast.enable': 'true',
				'holdfast.mariadb': 'shop',
				'holdfast.mariadb.user': 'keeper',
				'holdfast.mariadb.password-secret': 'keeper',
				'holdfast.before': 'touch /tmp/begun',
			},
		},
	});
	const target = `${stack.project}/db`;
	await writeFile(secret('keeper'), 'hush\n', {mode: 0o600});
	const sql = async (text: string) =>
		docker(['exec', '--env', 'MYSQL_PWD=secret', stack.container('db'), 'mariadb', '-uroot', '-NBe', text]);
	await until('the server answers', async () => sql("select 1 from mysql.user where user = 'root' and host = '%'"), {timeout: 120_000});
	await sql(
		"use shop; create table t (a int); insert into t values (1); create view v as select a from t; create trigger tr before insert on t for each row set new.a = 2; create user keeper@'%' identified by 'hush'; grant select, trigger on shop.* to keeper@'%'; grant select on *.* to keeper@'%'",
	);

	const grant = "grant EVENT, SHOW VIEW on `shop`.* to 'keeper'@'%'";
	const plan = await stack.holdfast('plan', target);
	t.true(plan.stdout.includes(grant), plan.stdout + plan.stderr);
	const [failed] = await stack.backup(target);
	t.is(failed?.outcome, 'failed');
	t.true((failed?.error ?? JSON.stringify(failed?.sources)).includes(grant), JSON.stringify(failed));
	t.is(await stack.exec('db', 'sh', '-c', 'ls /tmp'), '');

	await sql(grant);
	t.false((await stack.holdfast('plan', target)).stdout.includes('grant '));
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', JSON.stringify(backup));
	t.deepEqual(backup?.warnings ?? [], []);
});
