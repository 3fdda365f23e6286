/** Databases of one MariaDB server are of one moment, under a writer that never rests, and the password is a secret's. Lane: works. Turns: moments. */
import test from 'ava';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const password = `s"e c#r'et\\d`;

/** Each commit raises both numbers. */
const writer = `create database one; create database two; create table one.t (n int); create table two.t (n int); insert into one.t values (0); insert into two.t values (0);
use two; create table two.filler (a int, b char(255)); insert into two.filler select seq, repeat('x', 255) from seq_1_to_20000;
delimiter ;;
create procedure one.forever() begin loop start transaction; update one.t set n = n + 1; update two.t set n = n + 1; commit; end loop; end;;`;

test('in each of 3 points both databases show the same number', async t => {
	t.timeout(8 * 60_000);
	const image = await ensureImage('mariadb:10.11');
	const stack = await startStack(t, {
		services: {
			db: {
				image,
				entrypoint: ['sh', '-c', `printf %s "$$SECRET" >/run/root-password; unset SECRET; exec docker-entrypoint.sh mariadbd`],
				environment: {SECRET: password, MYSQL_ROOT_PASSWORD_FILE: '/run/root-password'},
				labels: {'holdfast.enable': 'true', 'holdfast.mysql': 'true'},
			},
		},
	});
	const sql = async (text: string, ...options: string[]) =>
		docker(['exec', ...options, '--env', `MYSQL_PWD=${password}`, stack.container('db'), 'mariadb', '-uroot', '-NBe', text]);
	await until('the server answers', async () => sql('select 1 from mysql.user where user = "root" and host = "%"'), {timeout: 120_000});
	await sql(writer);
	await sql('call one.forever()', '--detach');
	await until('the writer writes', async () => Number(await sql('select n from one.t')) > 0);

	const plan = await stack.holdfast('plan', `${stack.project}/db`);
	t.is(plan.exitCode, 0, plan.stdout + plan.stderr);
	const seen: number[] = [];
	for (let point = 0; point < 3; point++) {
		const [backup] = await stack.backup(`${stack.project}/db`);
		t.is(backup?.outcome, 'success', backup?.error);
		t.deepEqual(backup?.warnings ?? [], []);
		const numbers = await Promise.all(
			(backup?.sources ?? []).map(async ({source, snapshot}) => {
				const dump = await stack.restic('dump', snapshot ?? '', `/${stack.project}/db/${source.replace(':', '/')}`);
				return Number(/INSERT INTO `t` VALUES\s*\((\d+)\)/.exec(dump)?.[1]);
			}),
		);
		t.is(numbers.length, 2);
		t.is(numbers[0], numbers[1]);
		seen.push(numbers[0] ?? 0);
	}

	t.deepEqual(
		seen.toSorted((a, b) => a - b),
		seen,
	);
	t.is(new Set(seen).size, 3, 'the writer was at work meanwhile');

	// While one is made, its programs are there to be seen, with all that they are told. It may be over before anybody has looked.
	let dumps = 0;
	for (let tries = 0; dumps === 0 && tries < 5; tries++) {
		const over = new AbortController();
		const last = stack.backup(`${stack.project}/db`).finally(() => over.abort());
		while (!over.signal.aborted) {
			const processes = await docker(['top', stack.container('db'), '-eo', 'pid,args']);
			t.false(processes.includes(password));
			dumps += Number(processes.includes('mariadb-dump'));
		}

		t.is((await last)[0]?.outcome, 'success');
	}

	t.true(dumps > 0, 'a dump was seen');
});
