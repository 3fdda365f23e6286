/** A server that speaks German, is hardened and logs all that it is told, and databases of odd names whose settings are in the way of dumps and restores. Lane: waits. */
import test from 'ava';
import {execa} from 'execa';
import {isCrowded} from '../../../agent/sources/postgres/crowded.ts';
import {RunError} from '../../../base/errors.ts';
import type {DrillResult, RestoreResult} from '../../../base/results.ts';
import {ensureImage} from '../../support/images.ts';
import {problemsOf} from '../../support/stack/far-server.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const names = ['a b', `"q'`, '-x', 'dbname=foo', 'postgres://x', 'ünï', 'Upper', 'shop'];
const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
const quiet = 'set log_statement = none';
const mappingSecret = 'of the mapping';

const settings = [
	...['lc_messages=de_DE.UTF-8', 'log_statement=all', 'log_min_duration_statement=0', 'session_preload_libraries=auto_explain'],
	...['auto_explain.log_min_duration=0', 'default_transaction_read_only=on', 'statement_timeout=3s', 'row_security=off'],
].flatMap(setting => ['-c', setting]);

const fill = (name: string) => [
	quiet,
	'create table marks (mark text, price money)',
	`insert into marks select '${name.replaceAll("'", "''")} €', (n / 100.0)::numeric::money from generate_series(1, 1234567, 98765) n`,
	"select lo_from_bytea(4711, 'large')",
	'alter large object 4711 owner to app',
	'create extension postgres_fdw',
	'create server near foreign data wrapper postgres_fdw',
	`create user mapping for app server near options (password '${mappingSecret}')`,
];

const fingerprint = `select md5(string_agg(mark || price::numeric, ',' order by price)), max(price::numeric) from marks;
	select convert_from(lo_get(4711), 'utf8'), (select pg_get_userbyid(lomowner) from pg_largeobject_metadata);
	select array_agg(umoptions::text) from pg_user_mappings`;

test('hardened, in another language, with settings of its own and databases of odd names: backed up, rehearsed, restored, undone, and no secret in its log', async t => {
	t.timeout(10 * 60_000);
	const image = await ensureImage('holdfast-test/german:pg17');
	const stack = await startStack(t, {
		services: {
			db: {
				image,
				command: ['postgres', ...settings],
				read_only: true,
				user: '999:999',
				tmpfs: ['/tmp', '/run:mode=1777', '/run/postgresql:mode=1777'],
				shm_size: '4m',
				environment: {
					POSTGRES_PASSWORD: 'secret',
					POSTGRES_DB: 'shop',
					POSTGRES_INITDB_ARGS: '--data-checksums --auth-local=peer --lc-collate=de_DE.UTF-8',
					PGDATA: '/var/lib/postgresql/data/pgdata',
				},
				volumes: ['data:/var/lib/postgresql/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'true'},
			},
			keeper: {
				image,
				environment: {POSTGRES_PASSWORD: 'secret', POSTGRES_USER: 'keeper', POSTGRES_DB: 'kept'},
				labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'kept', 'holdfast.postgres.user': 'narrow'},
			},
		},
		volumes: ['data'],
	});
	const psql = async (database: string, ...statements: string[]) =>
		stack.exec(
			'db',
			...['env', 'PGCLIENTENCODING=utf8', 'PGOPTIONS=-c default_transaction_read_only=off -c statement_timeout=0 -c role=none', 'psql'],
			...['-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', `dbname='${database.replaceAll("'", String.raw`\'`)}'`],
			...statements.flatMap(statement => ['-c', statement]),
		);
	await until('the database answers', async () => psql('shop', 'select 1'), {timeout: 120_000});
	await psql('shop', quiet, "create role app login password 'of the app'", "create role gone login password 'of who is gone'");
	for (const name of names) {
		await psql('postgres', ...(name === 'shop' ? [] : [`create database ${quoted(name)}`]));
		await psql(name, ...fill(name));
	}

	await psql(
		'postgres',
		'alter database shop set role = app',
		"alter database shop set lc_monetary = 'de_DE.UTF-8'",
		"alter database shop set statement_timeout = '30ms'",
		'alter database shop set search_path = odd, "A, b", public',
		'alter database shop connection limit 1',
		'alter database "a b" set client_encoding = latin1',
		'alter role postgres in database "Upper" set role = app',
		"alter role postgres set client_encoding = 'latin1'",
		'create database shut allow_connections false',
		'create database half',
		"update pg_database set datconnlimit = -2 where datname = 'half'",
		"update pg_database set datcollversion = '2.1' where datname not in ('template0', '-x')",
	);
	const settingsOf = async () =>
		psql(
			'postgres',
			'select datname, datconnlimit, setconfig from pg_database d left join pg_db_role_setting on setdatabase = d.oid order by 1, 2, 3',
		);
	const before = {
		settings: await settingsOf(),
		passwords: await psql('postgres', "select rolpassword from pg_authid where rolname in ('app', 'gone') order by rolname"),
		contents: await Promise.all(names.map(async name => psql(name, fingerprint))),
	};
	t.is(new Set(before.contents).size, names.length);
	t.regex(
		await psql('shop', "select replace(max(price)::text, '€', 'EUR') from marks"),
		/^\d\d\.\d{3},\d\d EUR$/,
		'as German sums are written',
	);
	const log = async () => (await execa('docker', ['logs', stack.container('db')])).stderr;
	const quietFrom = (await log()).length;

	const [backup] = await stack.backup(`${stack.project}/db`);
	t.is(backup?.outcome, 'success', backup?.error);
	t.is(backup?.sources.length, names.length + 1, 'those, and `postgres`; not what nobody may connect to');
	t.regex(
		(await stack.holdfast('doctor')).stdout,
		/databases .*"Upper", "a b", .* were made with another version of the system's collations/,
	);
	t.regex((await stack.holdfast('plan', `${stack.project}/db`)).stdout, /database "half" .* interrupted `drop database`/);
	const drilled = JSON.parse((await stack.holdfast('drill', `${stack.project}/db`, '--json')).stdout) as DrillResult;
	t.is(drilled.outcome, 'success', JSON.stringify(drilled));

	for (const name of names) {
		await psql(name, quiet, 'drop table marks');
	}

	await psql('postgres', 'drop role gone');
	const restored = await stack.restore(`${stack.project}/db`);
	t.is(restored.outcome, 'success', restored.error);
	t.deepEqual(await Promise.all(names.map(async name => psql(name, fingerprint))), before.contents);
	const now = (await settingsOf()).split('\n').filter(line => !line.includes('_before_'));
	t.deepEqual(now, before.settings.split('\n'));
	t.is(await psql('postgres', "select rolpassword from pg_authid where rolname in ('app', 'gone') order by rolname"), before.passwords);
	const undone = JSON.parse((await stack.holdfast('restore', 'undo', restored.run, '--json')).stdout) as RestoreResult;
	t.is(undone.outcome, 'success', undone.error);
	t.is(await settingsOf(), before.settings);

	const said = (await log()).slice(quietFrom);
	t.regex(said, /drop role gone/, 'the test reads the log');
	t.notRegex(said, /SCRAM-SHA-256|of the mapping/);

	// A role that may have too few sessions.
	const keeper = async (...statements: string[]) =>
		stack.exec('keeper', 'psql', '-XAtq', '-U', 'keeper', '-d', 'kept', ...statements.flatMap(statement => ['-c', statement]));
	await keeper(
		'create role narrow login',
		'alter database kept connection limit 1',
		"alter system set lc_messages = 'de_DE.UTF-8'",
		'select pg_reload_conf()',
	);
	t.regex(await problemsOf(stack, 'keeper'), /connection limit of 1, and its dump needs two sessions/);
	await keeper('alter database kept connection limit 0');
	for (const [program, said, ...further] of [
		['pg_dump', /FATAL: {2}zu viele Verbindungen/, '--dbname=kept'],
		// It does not say why.
		['pg_dumpall', /could not connect to database "kept"/, '--globals-only', '--database=kept'],
	] as const) {
		const refused = await t.throwsAsync(stack.exec('keeper', 'env', 'LC_ALL=C', program, '-U', 'narrow', ...further));
		t.regex(refused?.message ?? '', said);
		t.true(isCrowded(new RunError(`\`${program}\` exited with 1: ${refused?.message}`), {wasLetIn: true}));
	}
});
