/** Settings of the server, of databases and of roles that forbid writing, change what SQL means, or speak in another encoding; and names of every kind. Lane: works. Turns: postgres. */
import test from 'ava';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const role = `The "Owner" o'Shop\\`;
const quoted = `"${role.replaceAll('"', '""')}"`;
const odd = `Ünï/Shop.com 😀 \\'; x`;
const name = (database: string) => `dbname='${database.replaceAll(/[\\']/g, String.raw`\$&`)}'`;

const ask = async (stack: Stack, sql: string, database = 'postgres') =>
	stack.exec(
		'db',
		'env',
		'PGOPTIONS=-c default_transaction_read_only=off -c standard_conforming_strings=on -c client_encoding=UTF8',
		...['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', role, '-d', name(database), '-c', sql],
	);

/** Rows, and what is set for the database. */
const rows = `select string_agg(t::text, ',' order by n) from t t`;
const settings = `select string_agg(coalesce(r.rolname, '') || c, ',' order by coalesce(r.rolname, '') || c)
	from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase left join pg_roles r on r.oid = s.setrole, unnest(s.setconfig) c where d.datname = current_database()`;

test('read-only by default, serializable, another encoding, strings of old, and odd names: backed up, restored, undone and rehearsed', async t => {
	t.timeout(10 * 60_000);
	const stack = await startStack(t, {
		services: {
			db: {
				image: await ensureImage('postgres:17'),
				command: [
					'postgres',
					...['default_transaction_isolation=serializable', 'default_transaction_deferrable=on', 'standard_conforming_strings=off'].flatMap(
						setting => ['-c', setting],
					),
				],
				environment: {POSTGRES_PASSWORD: 'secret', POSTGRES_USER: role, POSTGRES_DB: 'postgres'},
				labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'true'},
			},
		},
	});
	const target = `${stack.project}/db`;
	const databases = [odd, 'latin'];
	await until('the database answers', async () => ask(stack, 'select 1'), {timeout: 90_000});
	await ask(stack, `create database "${odd}" connection limit 2`);
	await ask(stack, `create database latin encoding 'LATIN1' locale 'C' template template0`);
	for (const database of databases) {
		await ask(stack, `create table t as select n, 'é\\' || n as "Spalte é" from generate_series(1, 100) n`, database);
		await ask(stack, "create unlogged table fleeting (a int); select lo_from_bytea(0, '\\x00ff')", database);
		await ask(stack, `alter database "${database}" set default_transaction_read_only = on`);
		await ask(stack, `alter role ${quoted} in database "${database}" set client_encoding = 'latin1'`);
	}

	await ask(stack, `alter role ${quoted} set default_transaction_read_only = on`);
	const look = async () =>
		Promise.all(databases.map(async database => [await ask(stack, rows, database), await ask(stack, settings, database)]));
	const first = await look();
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	t.deepEqual(backup?.sources.map(({source}) => source).toSorted(), ['postgres', 'latin', odd].map(each => `postgres:${each}`).toSorted());

	for (const database of databases) {
		await ask(stack, 'delete from t where n > 3', database);
		await ask(stack, `alter database "${database}" reset default_transaction_read_only`);
	}

	const second = await look();
	const restored = await stack.restore(target, '--only', `postgres:${odd}`, '--only', 'postgres:latin');
	t.is(restored.outcome, 'success', restored.error);
	t.deepEqual(await look(), first);
	t.is((await stack.holdfast('restore', 'undo', restored.run)).exitCode, 0);
	t.deepEqual(await look(), second);
	const drilled = await stack.holdfast('drill', target);
	t.is(drilled.exitCode, 0, drilled.stdout + drilled.stderr);
});
